/**
 * Stands in for the store of Lambda's invocations in the bundles, from which the AWS SDK takes
 * trace ids where one process serves several invocations at once. Here each serves one, and the SDK
 * takes the id from the environment.
 */
export const InvokeStore = {
  async getInstanceAsync(): Promise<undefined> {},
};
