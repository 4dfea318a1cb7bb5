/**
 * Changes the directory of the deployment while the black-box suite runs. Deployed functions
 * remember clients for ten seconds; the suite wants the next request to see the change, so they
 * start anew before the change is acknowledged.
 */
import type { Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { answerJson, createAsyncServer } from '../../lib/local/loopback.ts';
import { applyDirectory } from '../../lib/operator/directory/apply.ts';
import { type Directory, parseDirectory } from '../../lib/operator/directory/directory-file.ts';
import { listFunctions, restartFunction } from './deployed-functions.ts';
import type { Forwarder } from './emulator-adapter.ts';

/** The deployment whose directory is changed. */
interface ControlledDeployment {
  emulator: string;
  dynamo: DynamoDBClient;
  stepFunctions: SFNClient;
  directoryTable: string;
  keysTable: string;
  /** Hands on every request to the functions. */
  forwarder: Forwarder;
}

/** How long flows may take to end, in milliseconds. */
const FLOW_TIMEOUT = 20_000;

/**
 * Takes a directory file by PUT, one after the other, replaces what is deployed with it, and
 * answers when no function remembers what was there before. No request and no mail is lost:
 * functions are restarted while nothing is under way.
 */
export function directoryControl(deployment: ControlledDeployment): Server {
  let previous: Promise<unknown> = Promise.resolve();
  return createAsyncServer(async (request, response) => {
    if (request.method !== 'PUT') return answerJson(response, 405, { message: 'There is PUT' });
    const body = await json(request);
    const turn = previous.then(() => replaceDirectory(deployment, parseDirectory(body)));
    previous = turn.catch(() => {});
    try {
      answerJson(response, 200, await turn);
    } catch (error) {
      answerJson(response, 500, { message: String(error) });
    }
  });
}

async function replaceDirectory(deployment: ControlledDeployment, directory: Directory) {
  const applied = await applyDirectory({
    client: deployment.dynamo,
    tableName: deployment.directoryTable,
    keysTableName: deployment.keysTable,
    directory,
    prune: true,
  });
  await deployment.forwarder.alone(async () => {
    await flowsEnded(deployment);
    await restartReaders(deployment);
  });
  return applied;
}

/**
 * The mail function reads clients too; it runs in the flow, after the request that started it was
 * answered.
 */
async function flowsEnded({ stepFunctions }: ControlledDeployment): Promise<void> {
  const end = Date.now() + FLOW_TIMEOUT;
  while (Date.now() < end) {
    // AWS lists no Express executions; MiniStack does.
    const running = new ListExecutionsCommand({ statusFilter: 'RUNNING' });
    const { executions = [] } = await stepFunctions.send(running);
    if (executions.length === 0) return;
    await sleep(50);
  }
  throw new Error(`flows still ran after ${FLOW_TIMEOUT} ms`);
}

async function restartReaders({ emulator, directoryTable }: ControlledDeployment): Promise<void> {
  const functions = await listFunctions(emulator);
  const readers = functions.filter(
    ({ Environment }) => Environment?.Variables['DIRECTORY_TABLE'] === directoryTable,
  );
  if (readers.length === 0) throw new Error(`no function reads ${directoryTable}`);
  await Promise.all(readers.map((reader) => restartFunction(emulator, reader)));
}
