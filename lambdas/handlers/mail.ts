/**
 * The function of the flows' states that send mail.
 */
import { clientDirectory, userDirectory } from '../aws/directory-table.ts';
import { linkKeys } from '../aws/keys-table.ts';
import { requestsTable } from '../aws/requests-table.ts';
import { dynamoDbClient, sesClient } from '../aws/sdk-clients.ts';
import { sesMailer } from '../aws/ses-mailer.ts';
import { mailTask } from '../tasks/mail.ts';
import { mailEnvironment } from './environments/mail.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { inInvocation, runtime } from './runtime.ts';

const environment = readEnvironment(mailEnvironment);
const dynamo = dynamoDbClient();

export const handler = inInvocation(
  mailTask({
    ...runtime,
    issuer: environment.ISSUER,
    requests: requestsTable(dynamo, environment.REQUESTS_TABLE),
    clients: clientDirectory(dynamo, environment.DIRECTORY_TABLE, runtime.clock),
    users: userDirectory(dynamo, environment.DIRECTORY_TABLE),
    linkKeys: linkKeys(dynamo, environment.KEYS_TABLE, runtime.clock),
    templates: environment.TEMPLATES,
    mailer: sesMailer(sesClient(), environment.SENDER, environment.CONFIGURATION_SET),
  }),
);
