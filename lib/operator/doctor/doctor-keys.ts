/** Whether there are keys that sign and can be verified, and whether they are renewed in time. */
import { DAY_SECONDS } from '../../../lambdas/ciba/day.ts';
import type { KeyKind } from '../../../lambdas/ciba/keys/key-rotation.ts';
import { judgeKeys, type KeyState, keyKinds } from '../keys/key-states.ts';
import { readKeys } from '../keys/load-keys.ts';
import { showSpan, showTime } from '../terminal/show-time.ts';
import type { Check, Finding } from './check.ts';

/** The rotation runs once a day: two runs that did not renew a key are no chance. */
const GRACE_SECONDS = 2 * DAY_SECONDS;

const rotate = 'npm run -s ciba -- keys rotate';

export const checkKeys: Check = async ({ deployment, clock }) => {
  const keys = await readKeys({
    dynamodb: deployment.clients.dynamodb,
    directoryTable: deployment.output('DirectoryTable'),
    keysTable: deployment.output('KeysTable'),
  });
  const periodSeconds = Number(deployment.output('KeyRotationDays')) * DAY_SECONDS;
  return judgeFreshness(judgeKeys(keys, clock()), periodSeconds, clock());
};

/**
 * One finding for each kind that is not as it should be, or one for all. @param now epoch seconds
 */
export function judgeFreshness(
  states: readonly KeyState[],
  periodSeconds: number,
  now: number,
): Finding[] {
  if (states.some(({ status }) => status === 'published')) {
    const message =
      'keys are published; which of them signs, and how old they are, may not be looked up';
    return [{ verdict: 'warning', message, mend: 'ask for the right to read the table of keys' }];
  }
  const faults = keyKinds.flatMap((kind) => {
    const ofKind = states.filter((state) => state.kind === kind);
    return [...judgeUse(kind, ofKind), ...judgeAge(kind, ofKind, periodSeconds, now)];
  });
  return faults.length > 0 ? faults : [describeAll(states, periodSeconds, now)];
}

function judgeUse(kind: KeyKind, states: KeyState[]): Finding[] {
  const unverifiable = states.find(({ status }) => status === 'not published');
  if (unverifiable) {
    const message = `${kind} signs with ${unverifiable.kid}, which is not in /jwks: nobody can verify it`;
    return [{ verdict: 'fault', message, mend: `${rotate} --lead 0` }];
  }
  if (states.some(({ status }) => status === 'in use')) return [];
  return [{ verdict: 'fault', message: `${kind}: no key is in use`, mend: rotate }];
}

function judgeAge(
  kind: KeyKind,
  states: KeyState[],
  periodSeconds: number,
  now: number,
): Finding[] {
  const newestAt = newestOf(states);
  if (newestAt === undefined || now <= newestAt + periodSeconds + GRACE_SECONDS) return [];
  const message = `${kind}: the newest key is ${showSpan(now - newestAt)} old, and another is due every ${showSpan(periodSeconds)}: the daily rotation does not run`;
  const mend = `${rotate}; see the log of the function in the output RotateKeysFunction`;
  return [{ verdict: 'warning', message, mend }];
}

function newestOf(states: readonly KeyState[]): number | undefined {
  const times = states.flatMap(({ createdAt }) => (createdAt === undefined ? [] : [createdAt]));
  return times.length === 0 ? undefined : Math.max(...times);
}

function describeAll(states: readonly KeyState[], periodSeconds: number, now: number): Finding {
  const times = keyKinds.flatMap(
    (kind) => newestOf(states.filter((state) => state.kind === kind)) ?? [],
  );
  const oldest = Math.min(...times, now);
  const message = `every kind is in use; the oldest is ${showSpan(now - oldest)} old, the next are due ${showTime(oldest + periodSeconds)}`;
  return { verdict: 'ok', message };
}
