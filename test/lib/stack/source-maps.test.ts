/**
 * The source maps of the bundles, as synth makes them: they stay on the machine that synthesized,
 * nothing that is deployed depends on them, and they lead from a frame of the log to the line that
 * failed.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { findBundles } from '../../../lib/stack/bundle-sizes.ts';
import { ciba } from '../../support/ciba-command.ts';
import { synthesizedAssembly } from '../../support/synthesized-assembly.ts';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);

let assembly: string;
let folder: string;
beforeAll(async () => {
  assembly = await synthesizedAssembly(inject('runFolder'));
  folder = mkdtempSync(join(tmpdir(), 'ciba-source-maps-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const sourceMap = z.looseObject({ sources: z.array(z.string()) });

describe('the source maps', () => {
  it('are one for each bundle, beside the assets and in none of them', () => {
    const bundles = findBundles(assembly);
    const maps = bundles.map(({ handler }) => `${handler}.mjs.map`);
    expect(readdirSync(join(assembly, 'source-maps')).toSorted()).toEqual(maps.toSorted());
    for (const { file } of bundles) {
      expect(readdirSync(join(file, '..'))).toEqual(['index.mjs']);
      expect(readFileSync(file, 'utf8')).not.toContain('sourceMappingURL');
    }
    const manifest = readFileSync(join(assembly, 'CibaProvider.assets.json'), 'utf8');
    expect(manifest).not.toContain('source-maps');
  });

  it('name files of the project, and hold none of their text', () => {
    for (const file of readdirSync(join(assembly, 'source-maps'))) {
      const text = readFileSync(join(assembly, 'source-maps', file), 'utf8');
      const map = sourceMap.parse(JSON.parse(text));
      expect(map).not.toHaveProperty('sourcesContent');
      expect(map.sources.length).toBeGreaterThan(50);
      expect(map.sources.filter((source) => !/^(?:lambdas|node_modules)\//.test(source))).toEqual(
        [],
      );
    }
  });

  it('and the bundles are the same from another synthesis elsewhere, with the same hashes', async () => {
    await run(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
      cwd: project,
      env: {
        ...process.env,
        CDK_VALIDATION: 'false',
        CDK_OUTDIR: folder,
        CDK_CONTEXT_JSON: '{"senderAddress":"approvals@other.example"}',
      },
    });
    const made = (outdir: string) =>
      findBundles(outdir).map(({ handler, file }) => ({
        handler,
        asset: basename(join(file, '..')),
        map: readFileSync(join(outdir, 'source-maps', `${handler}.mjs.map`), 'utf8'),
      }));
    expect(made(folder)).toEqual(made(assembly));
  });
});

const line = z.looseObject({ cause: z.string(), at: z.array(z.string()) });

describe('the log line of a bundle that fails', () => {
  const said = 'canary (file:///var/task/index.mjs:4711:815)';
  let dynamoDb: Server;
  beforeAll(async () => {
    const message = `No\n    at ${said}\n    at file:///var/task/index.mjs:4711:815`;
    const refusal = JSON.stringify({ __type: 'ValidationException', message });
    dynamoDb = createServer((_request, response) => {
      response.writeHead(400, { 'Content-Type': 'application/x-amz-json-1.0' }).end(refusal);
    }).listen(0, '127.0.0.1');
    await once(dynamoDb, 'listening');
  });
  afterAll(() => void dynamoDb.close());

  /**
   * What a bundle prints that is called once in a process of its own, while DynamoDB refuses
   * everything.
   */
  async function print(handler: string, event: object, environment: Record<string, string>) {
    const { port } = z.object({ port: z.number() }).parse(dynamoDb.address());
    const { file = '' } = findBundles(assembly).find((one) => one.handler === handler) ?? {};
    const caller = `
      const { handler } = await import(process.env.BUNDLE);
      await handler(JSON.parse(process.env.EVENT)).catch(({ name, stack }) => console.log(JSON.stringify({ name, stack })));
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', caller], {
      env: {
        BUNDLE: file,
        EVENT: JSON.stringify(event),
        AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: 'AKID',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_LAMBDA_FUNCTION_NAME: handler,
        AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}`,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        ...environment,
      },
    });
    expect(stdout).not.toContain('canary');
    expect(stdout).not.toContain('4711:815');
    return stdout
      .trim()
      .split('\n')
      .map((text): unknown => JSON.parse(text));
  }

  /** The places of frames, and the text of the sources from each on. */
  async function trace(event: string, at: string[]) {
    const { stdout } = await ciba(['trace', event, ...at, '--assembly', assembly, '--json']);
    const place = z.object({ source: z.string(), line: z.number(), column: z.number() });
    return z
      .object({ items: z.array(place) })
      .parse(JSON.parse(stdout))
      .items.map(({ source, line: at, column }) => {
        const text = readFileSync(join(project, source), 'utf8').split('\n')[at - 1] ?? '';
        return { source, text: text.slice(column - 1) };
      });
  }

  it('has frames of the bundle, which lead to where an adapter was refused, and quotes nothing', async () => {
    const event = { rawPath: '/jwks', requestContext: { http: { method: 'GET' } }, headers: {} };
    const environment = { ISSUER: 'https://ciba.example', DIRECTORY_TABLE: 'directory' };
    const [logged] = await print('metadata', event, environment);
    const { at } = line.parse(logged);
    expect(at).toHaveLength(3);
    const places = await trace('metadata', at);
    expect(places.filter(({ source }) => !source.startsWith('lambdas/aws/'))).toEqual([]);
    expect(places[0]?.source).toBe('lambdas/aws/dynamo-table.ts');
    expect(places[0]?.text).toMatch(/^new \w+\(/);
  });

  it('of a task says the same as the error that Lambda and the flow are given', async () => {
    const environment = { REQUESTS_TABLE: 'requests' };
    const [logged, thrown] = await print('record-failure', { ref: 'no ref' }, environment);
    const { at, cause } = line.parse(logged);
    expect(thrown).toEqual({
      name: cause,
      stack: [`${cause}: See the log line of this run.`, ...at].join('\n    at '),
    });
    const places = await trace('record_failure', at);
    expect(places.at(-1)).toEqual({
      source: 'lambdas/tasks/logged-task.ts',
      text: expect.stringMatching(/^parse\(input\)/),
    });
  });
});
