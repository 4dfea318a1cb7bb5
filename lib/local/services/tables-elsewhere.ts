/**
 * Tables in an engine of DynamoDB that runs already, for tests that want its judgement beside
 * dynalite's: nothing stands before it but what keeps the databases of two hosts apart.
 */

import { randomInt } from 'node:crypto';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { OperatorError } from '../../operator/terminal/operator-error.ts';
import { createAsyncServer, isLocalHost, programsOnly } from '../loopback.ts';
import { forward } from './forward.ts';

/**
 * A server that hands every call to `engine` under one access key, whoever has signed it: DynamoDB
 * Local has a database for each access key, MiniStack an account for each that is twelve digits,
 * and none of them verifies signatures.
 * @throws OperatorError if the engine is not on this machine
 */
export function tablesElsewhere(engine: string): Server {
  if (!isLocalHost(engine)) {
    throw new OperatorError(`${engine} is not on this machine; allowed: http://127.0.0.1:PORT`);
  }
  const database = String(randomInt(1e11, 1e12));
  return createAsyncServer(
    programsOnly((request, response) =>
      forward(request, response, engine, underKey(request.headers, database)),
    ),
  );
}

function underKey(headers: IncomingHttpHeaders, accessKey: string): IncomingHttpHeaders {
  const { authorization = '' } = headers;
  return {
    ...headers,
    authorization: authorization.replace(/(?<=Credential=)[^/]*/, accessKey),
  };
}
