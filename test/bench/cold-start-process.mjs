/**
 * One cold start: a fresh process loads a bundle, has it answer one event, and prints its processor
 * time in milliseconds.
 */
import { pathToFileURL } from 'node:url';

const [file, event] = process.argv.slice(2);

const { handler } = await import(pathToFileURL(file));
const context = { awsRequestId: 'cold-start', getRemainingTimeInMillis: () => 10_000 };
// What it answers to an empty table is no matter here, nor is a refusal.
await handler(JSON.parse(event), context).catch(() => undefined);

const { user, system } = process.cpuUsage();
process.stdout.write(String((user + system) / 1000));
// Connections that are kept would keep the process, too.
process.exit(0);
