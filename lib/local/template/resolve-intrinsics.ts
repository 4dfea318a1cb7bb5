/**
 * CloudFormation's intrinsic functions, as far as the stack's template uses them; any other stops
 * the local host.
 */
import { OperatorError } from '../../operator/terminal/operator-error.ts';

/** What the names of a template stand for on this machine. */
export interface References {
  /** The value of `Ref`; undefined is `AWS::NoValue`. @throws OperatorError for an unknown name */
  ref(name: string): string | undefined;
  /** The value of `Fn::GetAtt`. @throws OperatorError for an unknown one */
  attribute(logicalId: string, attribute: string): string;
}

/**
 * The value with every intrinsic function in it resolved; a member whose value is `AWS::NoValue` is
 * left out.
 * @param where stands in front of an error's message: the resource and the property
 * @throws OperatorError for an intrinsic function, a form of one or a name that is not known
 */
export function resolveIntrinsics(value: unknown, references: References, where: string): unknown {
  if (Array.isArray(value)) {
    return value
      .map((element, index) => resolveIntrinsics(element, references, `${where}[${index}]`))
      .filter((element) => element !== undefined);
  }
  if (!isObject(value)) return value;
  const intrinsic = intrinsicOf(value);
  if (intrinsic) return callIntrinsic(intrinsic, references, where);
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]) => [name, resolveIntrinsics(member, references, `${where}.${name}`)])
      .filter(([, member]) => member !== undefined),
  );
}

interface Intrinsic {
  name: string;
  argument: unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function intrinsicOf(value: Record<string, unknown>): Intrinsic | undefined {
  const [[name, argument] = [], ...others] = Object.entries(value);
  if (name === undefined || others.length > 0) return undefined;
  return name === 'Ref' || name.startsWith('Fn::') ? { name, argument } : undefined;
}

function callIntrinsic(
  { name, argument }: Intrinsic,
  references: References,
  where: string,
): unknown {
  const resolve = (value: unknown) => resolveIntrinsics(value, references, `${where}.${name}`);
  const malformed = () =>
    new OperatorError(`${where}: this form of ${name} is not known to the local host`);
  switch (name) {
    case 'Ref': {
      if (typeof argument !== 'string') throw malformed();
      return references.ref(argument);
    }
    case 'Fn::GetAtt': {
      const [logicalId, attribute] =
        typeof argument === 'string' ? splitAtDot(argument) : asArray(argument);
      if (typeof logicalId !== 'string' || typeof attribute !== 'string') throw malformed();
      return references.attribute(logicalId, attribute);
    }
    case 'Fn::Join': {
      const [separator, list] = asArray(argument);
      const texts = asTexts(resolve(list));
      if (typeof separator !== 'string' || texts === undefined) throw malformed();
      return texts.join(separator);
    }
    case 'Fn::Split': {
      const [separator, list] = asArray(argument);
      const text = resolve(list);
      if (typeof separator !== 'string' || typeof text !== 'string') throw malformed();
      return text.split(separator);
    }
    case 'Fn::Select': {
      const [index, list] = asArray(argument);
      const texts = asTexts(resolve(list));
      const selected = texts?.[Number(index)];
      if (selected === undefined) throw malformed();
      return selected;
    }
    case 'Fn::Sub': {
      const [text, variables] = typeof argument === 'string' ? [argument, {}] : asArray(argument);
      const values = resolve(variables);
      if (typeof text !== 'string' || !isObject(values)) throw malformed();
      return substitute(text, values, references, where);
    }
    default:
      throw new OperatorError(
        `${where}: intrinsic function ${name} is not known to the local host`,
      );
  }
}

/** `${name}`, `${resource.attribute}`, and `${!literal}`, which stands for `${literal}`. */
function substitute(
  text: string,
  values: Record<string, unknown>,
  references: References,
  where: string,
): string {
  return text.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    const value = values[name];
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    const [logicalId, attribute] = splitAtDot(name);
    const reference = attribute
      ? references.attribute(logicalId, attribute)
      : references.ref(logicalId);
    if (reference === undefined) {
      throw new OperatorError(`${where}: Fn::Sub cannot put ${name} into a text`);
    }
    return reference;
  });
}

function splitAtDot(text: string): [string, string | undefined] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)];
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function asTexts(value: unknown): string[] | undefined {
  const texts = asArray(value).map((element) =>
    typeof element === 'number' ? String(element) : element,
  );
  return Array.isArray(value) && texts.every((text) => typeof text === 'string')
    ? texts
    : undefined;
}
