/**
 * Whether the issuer answers as a client would have it, with the keys that are published, and what
 * time it has.
 */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import { parseStrictJson } from '../../../lambdas/ciba/jwt/strict-json.ts';
import { providerMetadata } from '../../../lambdas/ciba/provider-metadata.ts';
import { routes } from '../../../lambdas/routes.ts';
import { readKeys } from '../keys/load-keys.ts';
import { REMEMBERED_SECONDS } from '../keys/rotate-keys.ts';
import type { Check, Finding, Patient } from './check.ts';

const TIMEOUT_MILLISECONDS = 10_000;

const metadata = z.looseObject({ issuer: z.string(), jwks_uri: z.url() });

const jwks = z.object({ keys: z.array(z.looseObject({ kid: z.string() })) });

export const checkIssuer: Check = async (patient) => {
  const issuer = patient.deployment.output('Issuer');
  const url = `${issuer}${routes.openidConfiguration}`;
  const discovered = await read(patient, url, metadata);
  if ('verdict' in discovered) return [discovered];
  const { value } = discovered;
  if (value.issuer !== issuer) {
    return [fault(`${url} is of another issuer, ${value.issuer}`, 'npx cdk deploy')];
  }
  const published = await read(patient, value.jwks_uri, jwks);
  if ('verdict' in published) return [published];
  return [judgeMetadata(url, value, issuer), await judgeJwks(patient, published.value.keys)];
};

/** The document is made of the issuer alone, so what it should say is known here. */
function judgeMetadata(url: string, found: Record<string, unknown>, issuer: string): Finding {
  const expected: Record<string, unknown> = { ...providerMetadata(issuer, routes) };
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  const others = [...names].filter((name) => !isDeepStrictEqual(found[name], expected[name]));
  if (others.length === 0) return { verdict: 'ok', message: `${issuer} answers discovery` };
  const message = `${url} says otherwise than this version: ${others.join(', ')}`;
  return fault(message, 'npx cdk deploy; then see what else answers there');
}

type AnsweredKey = z.output<typeof jwks>['keys'][number];

/** /jwks is answered from memory for a while: a key that was made since then is no fault. */
async function judgeJwks(
  { deployment, clock }: Patient,
  answered: readonly AnsweredKey[],
): Promise<Finding> {
  const { published, stored = [] } = await readKeys({
    dynamodb: deployment.clients.dynamodb,
    directoryTable: deployment.output('DirectoryTable'),
    keysTable: deployment.output('KeysTable'),
  });
  const others = answered.filter(
    (key) => !published.some(({ jwk }) => isDeepStrictEqual({ ...key }, { ...jwk })),
  );
  const missing = published.filter(({ kid }) => answered.every((key) => key.kid !== kid));
  if (others.length === 0 && missing.length === 0) {
    return { verdict: 'ok', message: `/jwks has the ${published.length} published keys` };
  }
  const isNew = ({ kid }: { kid: string }) =>
    stored.some((key) => key.kid === kid && (key.createdAt ?? 0) > clock() - REMEMBERED_SECONDS);
  const names = (keys: readonly { kid: string }[]) => keys.map(({ kid }) => kid).join(', ');
  return {
    verdict: others.length === 0 && missing.every(isNew) ? 'warning' : 'fault',
    message: [
      ...(others.length > 0 ? [`/jwks has what is not published: ${names(others)}`] : []),
      ...(missing.length > 0 ? [`/jwks lacks what is published: ${names(missing)}`] : []),
    ].join('; '),
    mend: 'ask again five minutes after the last keys rotate or keys remove, for which /jwks is remembered; then npx cdk deploy',
  };
}

export const checkClock: Check = async ({ deployment, clock, fetch }) => {
  const before = clock();
  const url = `${deployment.output('Issuer')}${routes.openidConfiguration}`;
  // Why it does not answer is told by the check of the issuer.
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) }).catch(
    () => undefined,
  );
  const answeredAt = Date.parse(answer?.headers.get('date') ?? '') / 1000;
  if (Number.isNaN(answeredAt)) {
    return [{ verdict: 'not here', message: 'the issuer does not tell the time' }];
  }
  return [judgeClocks((before + clock()) / 2, answeredAt)];
};

/** The header has whole seconds. */
const SECONDS_OF_HEADER = 0.5;
const WARNING_SECONDS = 10;
const FAULT_SECONDS = 60;

/**
 * @param here this machine's time, @param there the deployment's, cut to whole seconds; epoch
 * seconds
 */
export function judgeClocks(here: number, there: number): Finding {
  const difference = here - (there + SECONDS_OF_HEADER);
  const off = Math.round(Math.abs(difference));
  if (off <= WARNING_SECONDS) return { verdict: 'ok', message: 'this machine and AWS agree' };
  return {
    verdict: off > FAULT_SECONDS ? 'fault' : 'warning',
    message: `this machine is ${off} s ${difference > 0 ? 'ahead of' : 'behind'} AWS: what it signs, or judges by its clock, may be refused`,
    mend: "set this machine's clock by NTP",
  };
}

async function read<Schema extends z.ZodMiniType>(
  { fetch }: Patient,
  url: string,
  schema: Schema,
): Promise<Finding | { value: z.output<Schema> }> {
  const mend = 'see the custom domain and its DNS, and the log of the function of the metadata';
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) }).catch(
    (error: unknown) => reasonOf(error),
  );
  if (typeof answer === 'string') return fault(`${url} does not answer (${answer})`, mend);
  const text = await answer.text();
  if (answer.status !== 200) return fault(`${url} answers ${answer.status}`, mend);
  const parsed = schema.safeParse(parseStrictJson(text));
  if (parsed.success) return { value: parsed.data };
  return fault(`${url} does not answer what it should`, 'see what answers there, and its DNS');
}

/** What undici says is `fetch failed`; why is its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}

function fault(message: string, mend: string): Finding {
  return { verdict: 'fault', message, mend };
}
