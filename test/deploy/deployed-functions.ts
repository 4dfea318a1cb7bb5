/** The deployed functions, through the part of Lambda's own API that needs no other client. */
import * as z from 'zod';

/** A function as Lambda lists it. */
export type DeployedFunction = z.output<typeof listed>;

const listed = z.object({
  FunctionName: z.string(),
  MemorySize: z.number(),
  Environment: z.optional(z.object({ Variables: z.record(z.string(), z.string()) })),
});

const functionList = z.object({ Functions: z.array(listed) });

/** Every function of the emulator. */
export async function listFunctions(emulator: string): Promise<DeployedFunction[]> {
  const { Functions } = functionList.parse(await call(emulator, ''));
  return Functions;
}

/** What the function answers to this event. */
export function invokeFunction(emulator: string, name: string, event: object): Promise<unknown> {
  return call(emulator, `${name}/invocations`, { method: 'POST', body: JSON.stringify(event) });
}

/**
 * Ends every environment of a function, those that run included; the next call starts a new one.
 * MiniStack does so, as AWS does, when the configuration is updated, even to what it was.
 */
export async function restartFunction(
  emulator: string,
  { FunctionName, MemorySize }: DeployedFunction,
): Promise<void> {
  await call(emulator, `${FunctionName}/configuration`, {
    method: 'PUT',
    body: JSON.stringify({ MemorySize }),
  });
}

/** Tells the emulator which service a request is for. */
const headers = {
  Authorization:
    'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0',
};

async function call(emulator: string, path: string, init: RequestInit = {}): Promise<unknown> {
  const url = `${emulator}/2015-03-31/functions/${path}`;
  const response = await fetch(url, { headers, ...init });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}
