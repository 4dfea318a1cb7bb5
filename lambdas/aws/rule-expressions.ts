/**
 * A rule as one conditional update: what it demands joined in the condition, and what it writes as
 * the update, in DynamoDB's expression language.
 */
import {
  type Clause,
  type Member,
  type Members,
  membersOf,
  type Rule,
} from '../ciba/request/rule.ts';
import type { Item } from './dynamo-table.ts';

/** The forms that members have in the table. */
export interface StoredForms {
  /** The attributes that stand for these members. */
  attributesOf(members: Members): Item;
  /**
   * What an attribute may hold where its member has this value; items of an earlier format have
   * another form of it.
   */
  formsOf(member: Member, value: unknown): unknown[];
}

/** An update whose condition holds if and only if all that the rule demands does. */
export interface RuleExpressions {
  update: string;
  condition: string;
  values: Item;
}

export function expressionsOf(
  { demands, set = {}, keep = {}, count = {}, remove = [] }: Rule<string>,
  forms: StoredForms,
): RuleExpressions {
  const { placeholder, values } = placeholders();
  const clauses = demands.map(([clause]) => render(clause, forms, placeholder));
  const assigned = attributes(forms, set).map(
    ([name, value]) => `#${name} = ${placeholder(value)}`,
  );
  const kept = attributes(forms, keep).map(
    ([name, value]) => `#${name} = if_not_exists(#${name}, ${placeholder(value)})`,
  );
  const added = membersOf(count).map(([name, by]) => `#${name} ${placeholder(by)}`);
  return {
    update: [
      ...section('SET', [...assigned, ...kept]),
      ...section('ADD', added),
      ...section(
        'REMOVE',
        remove.map((name) => `#${name}`),
      ),
    ].join(' '),
    condition: [...new Set(clauses)].join(' AND '),
    values,
  };
}

function attributes(forms: StoredForms, members: Members): [string, unknown][] {
  return Object.entries(forms.attributesOf(members)).filter(([, value]) => value !== undefined);
}

function section(keyword: string, parts: string[]): string[] {
  return parts.length === 0 ? [] : [`${keyword} ${parts.join(', ')}`];
}

/** Values by placeholder; equal ones share it. */
function placeholders() {
  const values: Item = {};
  const known = new Map<unknown, string>();
  const placeholder = (value: unknown): string => {
    const key =
      value instanceof Uint8Array ? `octets ${Buffer.from(value).toString('hex')}` : value;
    const name = known.get(key) ?? `:v${known.size}`;
    known.set(key, name);
    values[name] = value;
    return name;
  };
  return { placeholder, values };
}

type Placeholder = (value: unknown) => string;

function render(clause: Clause, forms: StoredForms, placeholder: Placeholder): string {
  switch (clause[0]) {
    case 'all':
    case 'any':
      return grouped(
        clause[1].map((inner) => render(inner, forms, placeholder)),
        clause[0] === 'all' ? ' AND ' : ' OR ',
      );
    case 'present':
      return `attribute_exists(#${clause[1]})`;
    case 'absent':
      return `attribute_not_exists(#${clause[1]})`;
    case 'in':
      return isOneOf(clause[1], clause[2], placeholder);
    case '=':
      return isOneOf(clause[1], forms.formsOf(clause[1], clause[2]), placeholder);
    case '<>': {
      const is = isOneOf(clause[1], forms.formsOf(clause[1], clause[2]), placeholder);
      // It holds of what is not there, and no store is relied upon to say so.
      return `(attribute_not_exists(#${clause[1]}) OR NOT ${is})`;
    }
    default:
      return `#${clause[1]} ${clause[0]} ${placeholder(clause[2])}`;
  }
}

/** DynamoDB refuses parentheses around what needs none. */
function grouped(conditions: string[], word: string): string {
  return conditions.length === 1 ? conditions.join() : `(${conditions.join(word)})`;
}

function isOneOf(member: Member, values: readonly unknown[], placeholder: Placeholder): string {
  const [only, ...others] = values.map(placeholder);
  return others.length === 0
    ? `#${member} = ${only}`
    : `#${member} IN (${[only, ...others].join(', ')})`;
}
