/**
 * Runs one bundled function in a worker thread, as Lambda's Node runtime does: loads the bundle
 * once, then answers events. It is JavaScript, since threads of Node 20 load no TypeScript and
 * start faster without.
 */
import { parentPort, workerData } from 'node:worker_threads';

/** @type {import('./run-functions.ts').WorkerSettings} */
const settings = workerData;

const { [settings.handler]: handler } = await import(settings.url);
if (typeof handler !== 'function') {
  throw new Error(`${settings.url} exports no function ${settings.handler}`);
}

parentPort?.on('message', async (invocation) => report(await answer(invocation)));
report({ type: 'loaded' });

/** @param {import('./run-functions.ts').WorkerMessage} message */
function report(message) {
  parentPort?.postMessage(message);
}

/**
 * @param {import('./run-functions.ts').WorkerInvocation} invocation
 * @returns {Promise<import('./run-functions.ts').WorkerMessage>}
 */
async function answer(invocation) {
  const { id } = invocation;
  try {
    const result = await handler(JSON.parse(invocation.event), describeContext(invocation));
    return { type: 'result', id, payload: JSON.stringify(result ?? null) };
  } catch (error) {
    return { type: 'error', id, error: describeError(error) };
  }
}

/**
 * Lambda's context object.
 * @param {import('./run-functions.ts').WorkerInvocation} invocation
 */
function describeContext({ id, deadline }) {
  return {
    awsRequestId: id,
    callbackWaitsForEmptyEventLoop: true,
    functionName: settings.functionName,
    functionVersion: '$LATEST',
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    invokedFunctionArn: settings.functionArn,
    logGroupName: `/aws/lambda/${settings.functionName}`,
    logStreamName: 'local',
    memoryLimitInMB: String(settings.memoryMegabytes),
  };
}

/**
 * The name of an error is what `Retry` and `Catch` of a state machine go by.
 * @param {unknown} error
 * @returns {import('./run-functions.ts').WorkerError}
 */
function describeError(error) {
  if (!(error instanceof Error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: (error.stack ?? '').split('\n'),
  };
}
