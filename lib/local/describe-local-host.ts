/**
 * What a person reads when the provider runs: its addresses, who is in its directory, and commands
 * to try.
 */

import type { Directory } from '../operator/directory/directory-file.ts';
import { stackOption } from '../operator/option-values.ts';
import { chooseExample } from './choose-example.ts';
import { localAccount } from './template/resource-names.ts';

/** What there is to tell. */
export interface LocalHostFacts {
  issuer: string;
  inbox: string;
  control: string;
  /** The PEM file of the CA to trust, if the provider is served by https. */
  ca: string | undefined;
  /** The demo terminal, if it was started. */
  demo: string | undefined;
  stackName: string;
  /** What the provider was seeded with, and where it came from. */
  directory: Directory;
  seed: string;
  /** Secrets that were made because the directory gave none. */
  generatedSecrets: { client_id: string; client_secret: string }[];
}

/** The text, for a terminal. */
export function describeLocalHost(facts: LocalHostFacts): string {
  const { issuer, inbox, control, seed, generatedSecrets } = facts;
  const secrets = generatedSecrets.map(
    ({ client_id, client_secret }) =>
      `  Secret of ${client_id}, shown this once: ${client_secret}\n`,
  );
  return `
The provider is running. Ctrl-C ends it.
${describeDemo(facts.demo)}
  Provider   ${issuer}/.well-known/openid-configuration
${describeCa(facts.ca)}  Inbox      ${inbox}   every mail it sends
  Control    ${control}/directory     PUT replaces clients and users
             ${control}/rotate-keys   POST makes new keys and uses them at once
             ${control}   AWS_ENDPOINT_URL of tools, such as the operator's command line
  Directory  ${seed}
  Clients    ${listClients(facts.directory)}
  Users      ${listUsers(facts.directory)}
${secrets.join('')}${describeCommands(facts)}${describeOperator(facts)}`;
}

function describeDemo(demo: string | undefined): string {
  if (demo === undefined) return '';
  return `
  Open ${demo}         a petrol pump that asks a user for approval
    or ${demo}/story   the same with the user's phone beside it
`;
}

/**
 * What makes programs trust the provider's certificate: Node's by an environment variable, others
 * each in their way.
 */
function describeCa(ca: string | undefined): string {
  if (ca === undefined) return '';
  return `  Its CA     ${ca}   made here, for localhost alone
             NODE_EXTRA_CA_CERTS=${quote(ca)}
             has programs of Node trust it from their start; curl takes --cacert
`;
}

/**
 * The command line works on this machine as on an account; the credentials only have to be there.
 */
function describeOperator({ control, ca, stackName }: LocalHostFacts): string {
  const trust = ca === undefined ? '' : `NODE_EXTRA_CA_CERTS=${quote(ca)} `;
  return `
The operator's command line, here as on an account (ciba -- --help lists what there is):

   ${trust}AWS_ENDPOINT_URL=${control} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=${localAccount.region} \\
     npm run -s ciba -- ${stackOption(stackName)}doctor

`;
}

function listClients({ clients }: Directory): string {
  const named = clients.map(({ client_id, enabled }) =>
    enabled ? client_id : `${client_id} (disabled)`,
  );
  return named.join(', ') || 'none';
}

function listUsers({ users }: Directory): string {
  const named = users.map(({ username, enabled, email_verified }) => {
    if (!enabled) return `${username} (disabled)`;
    return email_verified ? username : `${username} (address not verified)`;
  });
  return named.join(', ') || 'none';
}

/** Four steps from a request to tokens, with the first client and user that can take them. */
function describeCommands(facts: LocalHostFacts): string {
  const { issuer, inbox, ca, directory, generatedSecrets } = facts;
  const example = chooseExample(directory, generatedSecrets);
  if (!example) return '';
  const { client } = example;
  const [user] = example.usernames;
  const curl = ca === undefined ? 'curl -s' : `curl -s --cacert ${quote(ca)}`;
  const authentication = authenticate(
    client.token_endpoint_auth_method,
    client.client_id,
    client.client_secret,
  );
  return `
Try it in another terminal:

1. ${client.client_name} asks for ${user}'s approval.

   answer=$(${curl} ${issuer}/cibaAuthorization \\
     ${authentication} \\
     -d scope=openid+profile+email -d login_hint=${user} \\
     --data-urlencode 'binding_message=52.30 EUR at pump 4'); echo "$answer"

2. ${user} opens the mail at ${inbox}, follows its link, and approves.

3. The client polls and gets tokens.

   tokens=$(${curl} ${issuer}/token \\
     ${authentication} \\
     -d grant_type=urn:openid:params:grant-type:ciba \\
     -d auth_req_id=$(node -p 'JSON.parse(process.argv[1]).auth_req_id' "$answer")); echo "$tokens"

4. The ID token says who approved.

   node -p 'JSON.parse(Buffer.from(JSON.parse(process.argv[1]).id_token.split(".")[1], "base64url"))' "$tokens"

`;
}

/**
 * The client's credentials for curl, as RFC 6749, section 2.3.1 wants them: each form-encoded
 * before it goes into Basic.
 */
function authenticate(method: string, clientId: string, secret: string): string {
  if (method === 'client_secret_basic') {
    return `-u ${quote(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`)}`;
  }
  return `-d client_id=${clientId} --data-urlencode ${quote(`client_secret=${secret}`)}`;
}

/** A text as one word for a POSIX shell. */
function quote(text: string): string {
  return /^[\w:@%+=./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
