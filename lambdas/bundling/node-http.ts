/**
 * Stands in for `node:http` in the bundles. An ESM import of that module reads its lazy getters and
 * so loads undici, some 30 ms of every cold start from Node 22 on; the built-in taken as an object
 * does not. Exports what the AWS SDK asks for.
 */
const http = process.getBuiltinModule('node:http');

export const { Agent, request } = http;
