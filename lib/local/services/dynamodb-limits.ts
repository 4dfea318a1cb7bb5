/**
 * What DynamoDB refuses and dynalite takes: the limits of expressions, as the developer guide has
 * them under "Quotas in Amazon DynamoDB". Keys, items and batches dynalite measures itself.
 */

/** Bytes of one expression. */
export const MOST_EXPRESSION_BYTES = 4096;

/** Operators and functions of one expression. */
export const MOST_OPERATORS = 300;

/** Values that one IN compares with. */
export const MOST_IN_OPERANDS = 100;

/** Bytes of one placeholder, with its # or its colon. */
export const MOST_PLACEHOLDER_BYTES = 255;

/** Bytes of all that the placeholders of one call stand for, and of their own names. */
export const MOST_SUBSTITUTION_BYTES = 2 * 1024 * 1024;

const expressionNames = [
  'ConditionExpression',
  'FilterExpression',
  'KeyConditionExpression',
  'ProjectionExpression',
  'UpdateExpression',
];

/**
 * What DynamoDB would say of the first limit that a call is beyond; `undefined` if there is none.
 */
export function brokenLimit(input: unknown): string | undefined {
  for (const part of partsOf(input)) {
    for (const name of expressionNames) {
      const expression = part[name];
      const broken = typeof expression === 'string' && brokenByExpression(expression);
      if (broken) return `Invalid ${name}: ${broken}`;
    }
    const broken = brokenBySubstitutions(part);
    if (broken) return broken;
  }
  return undefined;
}

type Part = Record<string, unknown>;

/**
 * The call itself and all that is in it, since batches and transactions have expressions of their
 * own.
 */
function* partsOf(value: unknown): Generator<Part> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Part;
  for (const [name, member] of Object.entries(value)) {
    // Values that are stored may have any names.
    if (!storedMembers.has(name)) yield* partsOf(member);
  }
}

const storedMembers = new Set(['Item', 'Key', 'Keys', 'ExpressionAttributeValues']);

function brokenByExpression(expression: string): string | undefined {
  const bytes = Buffer.byteLength(expression);
  if (bytes > MOST_EXPRESSION_BYTES) {
    return `Expression size has exceeded the maximum allowed size; expression size: ${bytes}`;
  }
  const operators = countOperators(expression);
  if (operators > MOST_OPERATORS) {
    return `The expression contains too many operators; operator count: ${operators}`;
  }
  const operands = mostInOperands(expression);
  if (operands > MOST_IN_OPERANDS) {
    return `The IN operator is provided with too many operands; number of operands: ${operands}`;
  }
  return undefined;
}

/**
 * Each comparison, sum, connective and function. The `=` of a SET is counted too: rather one too
 * many than one too few.
 */
export function countOperators(expression: string): number {
  const operators = /<>|<=|>=|[=<>+]|\s-\s|\b(?:AND|OR|NOT|BETWEEN|IN)\b|\b[a-z_]+\s*\(/gi;
  const withoutPlaceholders = expression.replaceAll(/[#:]\w+/g, '_ ');
  return withoutPlaceholders.match(operators)?.length ?? 0;
}

function mostInOperands(expression: string): number {
  const lists = [...expression.matchAll(/\bIN\s*\(([^)]*)\)/gi)];
  return Math.max(0, ...lists.map(([, operands = '']) => operands.split(',').length));
}

function brokenBySubstitutions(part: Part): string | undefined {
  const substitutions = ['ExpressionAttributeNames', 'ExpressionAttributeValues'];
  for (const member of substitutions) {
    const long = Object.keys(Object(part[member])).find(
      (name) => Buffer.byteLength(name) > MOST_PLACEHOLDER_BYTES,
    );
    if (long !== undefined) {
      return `${member} contains invalid key: Expression size has exceeded the maximum allowed size`;
    }
  }
  const bytes = substitutions.reduce((sum, member) => sum + jsonBytes(part[member]), 0);
  return bytes > MOST_SUBSTITUTION_BYTES
    ? 'Sum of all ExpressionAttributeNames and ExpressionAttributeValues has exceeded the maximum allowed size'
    : undefined;
}

function jsonBytes(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}
