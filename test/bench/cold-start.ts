/**
 * `npm run bench:cold-start`: the processor time of a cold start of every function (start, load,
 * first call) over that of a handler that does nothing, in fresh processes, interleaved. The bar is
 * 3.6. `--node 24` measures on the Node that is deployed, `--samples N` takes more than 20 of each,
 * `--json FILE` writes the ratios for programs. Needs a synthesized `cdk.out`.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import {
  closeServer,
  createAsyncServer,
  listenOnLoopback,
  loopbackUrl,
} from '../../lib/local/loopback.ts';
import { readAssembly } from '../../lib/local/template/read-assembly.ts';
import { readStack } from '../../lib/local/template/read-stack.ts';
import { findBundles } from '../../lib/stack/bundle-sizes.ts';
import { installNode } from '../runtimes/install-node.ts';

const MOST_OVER_BARE = 3.6;

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    node: { type: 'string' },
    samples: { type: 'string', default: '20' },
  },
});

const ref = 'a'.repeat(26);
const basic = `Basic ${Buffer.from('pump-4:a secret of somebody whom the empty table does not know').toString('base64')}`;

/** An event that leads each function to its first call of DynamoDB. */
const events: Record<string, object> = {
  'backchannel-authentication': formEvent('/cibaAuthorization', 'login_hint=alice&scope=openid'),
  token: formEvent(
    '/token',
    `grant_type=urn%3Aopenid%3Aparams%3Agrant-type%3Aciba&auth_req_id=${ref}`,
  ),
  approve: httpEvent('GET', `/approve/${ref}.${'b'.repeat(43)}`),
  metadata: httpEvent('GET', '/jwks'),
  'rotate-keys': { rotate: 'when-due' },
  mail: { ref, templateName: 'CibaProvider-ciba-with-binding-message' },
  'mail-feedback': {
    detail: {
      eventType: 'Bounce',
      mail: { destination: ['alice@example.com'], tags: { ref: [ref] } },
      bounce: { bounceType: 'Permanent', bounceSubType: 'General' },
    },
  },
};

function formEvent(path: string, body: string): object {
  const headers = { authorization: basic, 'content-type': 'application/x-www-form-urlencoded' };
  return { ...httpEvent('POST', path, headers), body };
}

function httpEvent(method: string, rawPath: string, headers: Record<string, string> = {}): object {
  return {
    version: '2.0',
    rawPath,
    rawQueryString: '',
    headers: { host: 'localhost:4010', ...headers },
    requestContext: {
      http: { method, path: rawPath, sourceIp: '203.0.113.7', userAgent: 'bench' },
      requestId: 'cold-start',
      timeEpoch: 1_800_000_000_000,
    },
    isBase64Encoded: false,
  };
}

/** Every function that synth left, with the environment that it has on a local host. */
async function functionsOf(assembly: string) {
  const origin = 'http://localhost:4010';
  const { functions } = readStack(await readAssembly(assembly), origin);
  const files = new Map(functions.map((each) => [resolve(each.file), each.environment]));
  return findBundles(assembly).map(({ handler, file }) => {
    const environment = files.get(resolve(file));
    if (!environment) throw new Error(`${assembly} has no function of ${file}`);
    return { handler, file, environment };
  });
}

const run = promisify(execFile);

async function measure(
  node: string,
  file: string,
  event: object,
  env: Record<string, string>,
): Promise<number> {
  const child = fileURLToPath(new URL('cold-start-process.mjs', import.meta.url));
  const { stdout } = await run(node, [child, file, JSON.stringify(event)], { env });
  return Number(stdout.split('\n').at(-1));
}

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const folder = await mkdtemp(join(tmpdir(), 'ciba-cold-start-'));
const bare = join(folder, 'bare.mjs');
await writeFile(bare, 'export const handler = async () => ({ statusCode: 200 });\n');
const calls: string[] = [];
const tables = createAsyncServer(async (request, response) => {
  await text(request);
  calls.push(String(request.headers['x-amz-target']));
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
  response.end('{}');
});
const endpoint = loopbackUrl(await listenOnLoopback(tables, { port: 0 }));
const shared = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL: endpoint,
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
};

try {
  const node = values.node === undefined ? process.execPath : await installNode(values.node);
  const functions = await functionsOf('cdk.out');
  const measured = new Map(functions.map(({ handler }) => [handler, [] as number[]]));
  for (let round = 0; round < Number(values.samples); round += 1) {
    for (const { handler, file, environment } of functions) {
      const before = calls.length;
      const env = { ...shared, ...environment };
      const ours = await measure(node, file, events[handler] ?? { ref }, env);
      if (calls.length === before) throw new Error(`${handler} made no call`);
      measured.get(handler)?.push(ours / (await measure(node, bare, {}, shared)));
    }
  }
  const coldStart = [...measured].map(([handler, ratios]) => ({
    function: handler,
    overBare: Number(median(ratios).toFixed(2)),
  }));
  for (const { function: name, overBare } of coldStart) {
    const judged = overBare > MOST_OVER_BARE ? `  above ${MOST_OVER_BARE}` : '';
    process.stdout.write(
      `${name.padEnd(28)}${overBare.toFixed(2).padStart(6)} times a bare handler${judged}\n`,
    );
  }
  if (values.json !== undefined)
    await writeFile(values.json, JSON.stringify({ coldStart }, undefined, 2));
} finally {
  await closeServer(tables);
  await rm(folder, { recursive: true });
}
