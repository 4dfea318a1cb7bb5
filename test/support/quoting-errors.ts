/**
 * Whatever a library could throw that quotes what it was given, above all where a stack is looked
 * for.
 */
import { Unavailable } from '../../lambdas/ports.ts';

/** What is quoted: a text, and digits that have the form of a position. */
interface Quoted {
  text: string;
  /** `LINE:COLUMN` */
  position: string;
}

/** Where the frames of our own code are, as V8 writes it of modules and of scripts. */
const lambdas = new URL('../../lambdas/', import.meta.url);

/** Functions that throw, by what they throw. */
export function throwQuoting({ text, position }: Quoted): Record<string, () => never> {
  const frames = [lambdas.href, lambdas.pathname].flatMap((folder) => [
    `    at ${text} (${folder}tasks/mail.ts:${position})`,
    `    at ${folder}index.mjs:${position}`,
  ]);
  const quoting = [text, ...frames].join('\n');
  return {
    'an error with frames in its message': () => {
      throw new Error(quoting);
    },
    'an error whose stack was read before': () => {
      const error = new Error(quoting);
      if (!error.stack?.includes(position)) throw new Error('the stack begins with the message');
      throw error;
    },
    'an error whose message was taken away': () => {
      throw Object.assign(new Error(quoting), { message: '' });
    },
    'an error with frames in its name': () => {
      throw Object.assign(new Error(quoting), { name: quoting });
    },
    'an error with a text for a name': () => {
      throw Object.assign(new Error(quoting), { name: text });
    },
    'an error whose stack was written': () => {
      throw Object.assign(new Error(quoting), { stack: `Error: ${quoting}` });
    },
    'an error whose stack throws': () => {
      const get = () => {
        throw new Error(quoting);
      };
      throw Object.defineProperty(new Error(quoting), 'stack', { get });
    },
    'an error without a stack': () => {
      throw Object.assign(new Error(quoting), { stack: undefined });
    },
    'an error with causes': () => {
      const cause = new RangeError(quoting, { cause: new Error(quoting, { cause: quoting }) });
      throw new Error(quoting, { cause });
    },
    'several errors in one': () => {
      throw new AggregateError([new Error(quoting), quoting], quoting);
    },
    'an error of a function with such a name': () => {
      const named: Record<string, () => Error> = { [text]: () => new Error(quoting) };
      throw named[text]?.();
    },
    'an error of code with such a name': () => {
      throw new Function(`return new Error('x');\n//# sourceURL=${lambdas.href}${text}`)();
    },
    'what does not answer, for such a reason': () => {
      const cause = Object.assign(new Error(quoting), { name: text });
      throw new Unavailable(cause);
    },
    'a text': () => {
      throw quoting;
    },
    'an object that looks like an error': () => {
      throw { name: text, message: quoting, stack: quoting };
    },
    nothing: () => {
      throw undefined;
    },
  };
}
