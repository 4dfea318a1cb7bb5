/** What a fault looks like to the operator: one line, and an exit code. */

import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../../lambdas/ports.ts';
import { describeError } from '../../../../lib/operator/terminal/describe-error.ts';
import { OperatorError, usageError } from '../../../../lib/operator/terminal/operator-error.ts';
import { awsError } from '../../../support/operated-deployment.ts';

const codes = (code: string, fields: object = {}) =>
  Object.assign(new Error('x'), { code, ...fields });

describe('describeError', () => {
  it.each([
    ['what was asked and is not so', new OperatorError('No such key'), 'No such key', 1],
    ['what was asked wrongly', usageError('--lead: …'), '--lead: …', 2],
    [
      'a file with faults, line by line',
      usageError('a.json:\nusers[0]: …'),
      'a.json:\nusers[0]: …',
      2,
    ],
    [
      'what AWS refused',
      awsError('Throttling', 'Rate\n  exceeded'),
      'AWS refused: Throttling: Rate exceeded',
      1,
    ],
    [
      'what AWS said to an adapter of the provider',
      new Unavailable(awsError('X', 'no table')),
      'AWS refused: X: no table',
      1,
    ],
    ['what an adapter of the provider says itself', new Unavailable('no key'), 'no key', 1],
    ['what nobody foresaw', new RangeError('odd\nthing'), 'RangeError: odd thing', 1],
    ['what is no error', 'odd', 'odd', 1],
    [
      'a host that does not exist',
      codes('ENOTFOUND', { hostname: 'sts.nowhere-1.amazonaws.com' }),
      'No host sts.nowhere-1.amazonaws.com: are AWS_REGION and AWS_ENDPOINT_URL right, and is there a network?',
      1,
    ],
    [
      'a port that nobody listens at, on any of its addresses',
      new AggregateError([codes('ECONNREFUSED', { address: '::1', port: 9 }), new Error('other')]),
      'Nothing listens at ::1:9: is AWS_ENDPOINT_URL right, and is the local host running (npm start)?',
      1,
    ],
  ])('tells %s', (_, error, message, exitCode) => {
    expect(describeError(error)).toMatchObject({ message, exitCode });
  });
});
