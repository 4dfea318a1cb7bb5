/**
 * The log: one JSON line per event, and of an unexpected error its name and its place alone
 * (threats T26).
 */
import { describe, expect, it } from 'vitest';
import {
  createLog,
  describeCause,
  elapsedMs,
  faultOf,
  type LogEvent,
  placeOf,
} from '../../lambdas/log.ts';

it('createLog writes each event as one line of JSON, whatever is in it', () => {
  const lines: string[] = [];
  let invocation: string | undefined = '7d2f';
  const log = createLog(
    (line) => lines.push(line),
    () => invocation,
  );
  log({ event: 'token', status: 400, outcome: 'invalid_grant', cause: 'a\nb "c"', ms: 3 });
  invocation = undefined;
  log({ event: 'mail', outcome: 'sent', ms: 0 });
  expect(lines).toEqual([
    '{"level":"INFO","event":"token","status":400,"outcome":"invalid_grant","cause":"a\\nb \\"c\\"","ms":3,"lambda_request_id":"7d2f"}\n',
    '{"level":"INFO","event":"mail","outcome":"sent","ms":0}\n',
  ]);
});

it.each<[string, Omit<LogEvent, 'ms'>]>([
  ['ERROR', { event: 'token', status: 503, outcome: 'temporarily_unavailable' }],
  ['ERROR', { event: 'approve', status: 500, outcome: 'error' }],
  ['ERROR', { event: 'key_rotation', outcome: 'error', cause: 'TypeError' }],
  ['WARN', { event: 'token', status: 401, outcome: 'invalid_client' }],
  ['WARN', { event: 'backchannel_authentication', status: 429, outcome: 'slow_down' }],
  ['WARN', { event: 'mail', outcome: 'error', cause: 'MailDeferred' }],
  ['INFO', { event: 'token', status: 400, outcome: 'authorization_pending' }],
  ['INFO', { event: 'token', status: 200, outcome: 'ok' }],
  ['INFO', { event: 'locate_user', outcome: 'found' }],
])('O22: a line has the level %s: %j', (level, event) => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  createLog(write, () => undefined)({ ...event, ms: 1 });
  expect(JSON.parse(lines.join(''))).toEqual({ level, ...event, ms: 1 });
});

describe('describeCause', () => {
  it.each<[string, unknown, string | undefined]>([
    ['a reason of ours', 'wrong secret', 'wrong secret'],
    ['an error, whose message may quote input', new TypeError('canary'), 'TypeError'],
    ['an object that is no error', { message: 'canary', name: 'canary' }, undefined],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
  ])('T26: says of %s no more than its name', (_what, cause, text) => {
    expect(describeCause(cause)).toBe(text);
  });
});

describe('faultOf', () => {
  it.each<[string, unknown, string]>([
    ['an error', new TypeError('canary'), 'TypeError'],
    [
      'an error of a library',
      Object.assign(new Error('canary'), { name: '$ZodError' }),
      '$ZodError',
    ],
    ['an error whose name is a text', Object.assign(new Error(), { name: 'a canary' }), 'Error'],
    ['an error without a name', Object.assign(new Error(), { name: '' }), 'Error'],
    ['a text', 'canary', 'unknown'],
    ['an object', { name: 'canary', message: 'canary', stack: 'canary' }, 'unknown'],
    ['nothing', undefined, 'unknown'],
  ])('T26: says of %s, made elsewhere, its name alone', (_what, thrown, cause) => {
    expect(faultOf(thrown)).toEqual({ cause });
  });
});

/**
 * What comes out of so many calls of a function of lambdas/, one in the other, if the innermost
 * throws this.
 */
function thrownWithin(calls: number, make: () => unknown): unknown {
  let write = () => {
    throw make();
  };
  for (let call = 0; call < calls; call += 1) {
    const inner = write;
    const log = createLog(inner, () => undefined);
    write = () => log({ event: 'mail', ms: 0 }) as never;
  }
  try {
    return write();
  } catch (thrown) {
    return thrown;
  }
}

describe('placeOf', () => {
  const ownFrame = expect.stringMatching(/^log\.ts:\d+:\d+$/);
  const folder = new URL('../../lambdas/', import.meta.url).href;

  it.each([
    [0, undefined],
    [1, [ownFrame]],
    [3, [ownFrame, ownFrame, ownFrame]],
    [5, [ownFrame, ownFrame, ownFrame]],
  ])('of an error with %d frames in our files tells the innermost three', (calls, at) => {
    expect(placeOf(thrownWithin(calls, () => new Error()))).toEqual(at ? { at } : {});
  });

  it('tells it again, and leaves the stack as it would have been', () => {
    const twins: unknown[] = [];
    const thrown = thrownWithin(1, () => {
      twins.push(...[0, 1].map(() => new RangeError('a\nb')));
      return twins[0];
    });
    const place = placeOf(thrown);
    expect(place.at).toHaveLength(1);
    expect(placeOf(thrown)).toEqual(place);
    const [stack, untouched] = twins.map((twin) => Object(twin).stack.split('\n'));
    expect(stack.slice(0, 2)).toEqual(['RangeError: a', 'b']);
    expect(stack).toHaveLength(untouched.length);
  });

  it('takes no hook away that somebody has set', () => {
    const { prepareStackTrace } = Error;
    placeOf(new Error());
    expect(Error.prepareStackTrace).toBe(prepareStackTrace);
  });

  it('T26: takes no line of a message for a frame, nor of a stack that was written', () => {
    const frame = `    at canary (${folder}tasks/canary.ts:4711:815)`;
    const imitation = `x\n${frame}\n${frame.replace('file://', '')}`;
    const place = placeOf(thrownWithin(1, () => new Error(imitation)));
    expect(place).toEqual({ at: [ownFrame] });
    const written = Object.assign(new Error(), { stack: imitation });
    expect(placeOf(thrownWithin(1, () => written))).toEqual({});
    const renamed = () => Object.assign(new Error(), { name: imitation });
    expect(placeOf(thrownWithin(1, renamed))).toEqual({ at: [ownFrame] });
  });

  it.each<[string, PropertyDescriptor]>([
    [
      'that throws',
      {
        get: () => {
          throw new Error('canary');
        },
      },
    ],
    ['that is no text', { value: ['canary'] }],
    ['that is missing', { value: undefined }],
  ])('T26: tells nothing of a stack %s', (_what, stack) => {
    const hostile = () => Object.defineProperty(new Error(), 'stack', stack);
    expect(placeOf(thrownWithin(1, hostile))).toEqual({});
  });

  it.each(['a text', { stack: '    at canary' }, null, undefined])(
    'T26: tells nothing of %j',
    (thrown) => {
      expect(placeOf(thrownWithin(1, () => thrown))).toEqual({});
    },
  );

  it('tells of an error with a cause where it was thrown itself', () => {
    const cause = thrownWithin(3, () => new Error('canary'));
    expect(placeOf(thrownWithin(1, () => new Error('canary', { cause })))).toEqual({
      at: [ownFrame],
    });
  });
});

it.each([
  [1_700_000_000, 1_700_000_000.25, 250],
  [1_700_000_000.001, 1_700_000_000.0026, 2],
  [1_700_000_000, 1_700_000_000, 0],
])('elapsedMs from %d to %d is %d', (started, now, ms) => {
  expect(elapsedMs(started, now)).toBe(ms);
});
