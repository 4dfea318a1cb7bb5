/** The part of asl-validator's interface that is used; the package brings no types. */
declare module 'asl-validator' {
  /** Writes defaults into the definition it is given. */
  export default function validate(definition: unknown): {
    isValid: boolean;
    errorsText: () => string;
  };
}
