/** What a service of AWS answers, as far as this machine answers for one itself. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** An answer in a protocol of AWS. */
export interface AwsAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export function sendAnswer(response: ServerResponse, { status, headers, body }: AwsAnswer): void {
  response.writeHead(status, headers);
  response.end(body);
}

/** An answer in JSON. */
export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): AwsAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/**
 * An error in JSON, named where every SDK looks for its name: in the header of REST and in the body
 * of the others.
 */
export function jsonError(status: number, name: string, message: string): AwsAnswer {
  return jsonAnswer(status, { __type: name, message }, { 'x-amzn-errortype': name });
}

/** An answer in XML. */
export function xmlAnswer(status: number, element: string): AwsAnswer {
  return {
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<?xml version="1.0"?>\n${element}`,
  };
}

/** An error of the Query protocol. */
export function xmlError(status: number, name: string, message: string): AwsAnswer {
  const error = `<Error><Type>Sender</Type>${xmlElement('Code', name)}${xmlElement('Message', message)}</Error>`;
  return xmlAnswer(status, `<ErrorResponse>${error}<RequestId>local</RequestId></ErrorResponse>`);
}

/** An element that holds a text. */
export function xmlElement(name: string, text: string): string {
  return `<${name}>${escapeXml(text)}</${name}>`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters other than white space cannot be written in XML 1.0 at all. */
function escapeXml(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => entities[character] ?? character)
    .replace(/(?![\t\n\r])\p{Cc}/gu, '\ufffd');
}

/** Whether a request is of the Query protocol, whose answers are XML. */
export function isQuery(request: IncomingMessage): boolean {
  return (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
}
