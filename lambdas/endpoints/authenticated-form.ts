/**
 * What both endpoints of the protocol do first (CIBA Core 7.2 step 1, 10.1): read the form and authenticate its client.
 */
import type { Client } from '../ciba/client.ts';
import { authenticateClient, readClientCredentials } from '../ciba/client-authentication.ts';
import { type Form, readForm } from '../http/form.ts';
import type { Trace } from '../http/oauth-endpoint.ts';
import type { ClientDirectory } from '../ports.ts';

/**
 * The form of a request and the client it proves; nothing but the client is looked up before that.
 * @throws OAuthError `invalid_request` for what is no form, `invalid_client` for what proves no client
 */
export async function readAuthenticatedForm(
  httpRequest: Request,
  clients: ClientDirectory,
  trace: Trace,
): Promise<{ form: Form; client: Client }> {
  const form = await readForm(httpRequest);
  const credentials = readClientCredentials(httpRequest.headers.get('authorization'), form);
  const registered = await clients.findClient(credentials.clientId, 'cached');
  const client = authenticateClient(credentials, registered);
  trace.clientId = client.client_id;
  return { form, client };
}
