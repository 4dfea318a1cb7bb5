/**
 * The intrinsic functions of the template resolve as CloudFormation resolves them, and no other is
 * guessed.
 */
import { describe, expect, test } from 'vitest';
import { resolveIntrinsics } from '../../../../lib/local/template/resolve-intrinsics.ts';

const references = {
  ref: (name: string) => (name === 'AWS::NoValue' ? undefined : `ref(${name})`),
  attribute: (id: string, attribute: string) => `att(${id}.${attribute})`,
};

function resolve(value: unknown): unknown {
  return resolveIntrinsics(value, references, 'Thing.Property');
}

describe('resolveIntrinsics', () => {
  test.each([
    ['a value without any', { a: [1, true, null, 'x'] }, { a: [1, true, null, 'x'] }],
    ['Ref', { Ref: 'Table' }, 'ref(Table)'],
    ['Fn::GetAtt', { 'Fn::GetAtt': ['Role', 'Arn'] }, 'att(Role.Arn)'],
    ['Fn::GetAtt as one text', { 'Fn::GetAtt': 'Role.Arn' }, 'att(Role.Arn)'],
    [
      'Fn::Join',
      { 'Fn::Join': ['', ['integrations/', { Ref: 'Integration' }]] },
      'integrations/ref(Integration)',
    ],
    ['Fn::Join of a list', { 'Fn::Join': ['-', { 'Fn::Split': ['/', 'a/b'] }] }, 'a-b'],
    ['Fn::Select of Fn::Split', { 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    ['Fn::Select by text', { 'Fn::Select': ['0', ['a', 'b']] }, 'a'],
    ['Fn::Sub', { 'Fn::Sub': 'x-${AWS::Region}-${Role.Arn}' }, 'x-ref(AWS::Region)-att(Role.Arn)'],
    [
      'Fn::Sub with variables',
      { 'Fn::Sub': ['${a} ${!a} ${Table}', { a: { Ref: 'Other' } }] },
      'ref(Other) ${a} ref(Table)',
    ],
    ['AWS::NoValue', { kept: 1, left: { Ref: 'AWS::NoValue' } }, { kept: 1 }],
    ['AWS::NoValue in a list', [1, { Ref: 'AWS::NoValue' }], [1]],
  ])('resolves %s', (_, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  test.each([
    ['Fn::If', { a: { 'Fn::If': ['Condition', 1, 2] } }, /Thing\.Property\.a.*Fn::If is not known/],
    ['Fn::ImportValue', { 'Fn::ImportValue': 'x' }, /Fn::ImportValue is not known/],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['a', 'b', 'c'] }, /Fn::FindInMap is not known/],
    ['Fn::Join of no texts', { 'Fn::Join': ['', [{ a: 1 }]] }, /form of Fn::Join is not known/],
    ['Fn::Select out of range', { 'Fn::Select': [2, ['a']] }, /form of Fn::Select is not known/],
    ['Fn::Sub of nothing', { 'Fn::Sub': '${AWS::NoValue}' }, /cannot put AWS::NoValue into a text/],
  ])('refuses %s, naming the place', (_, value, message) => {
    expect(() => resolve(value)).toThrow(message);
  });
});
