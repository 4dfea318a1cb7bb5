/**
 * The function that EventBridge calls with SES's events of our mails.
 */
import { undeliverableAddresses, userDirectory } from '../aws/directory-table.ts';
import { requestsTable } from '../aws/requests-table.ts';
import { dynamoDbClient } from '../aws/sdk-clients.ts';
import { mailFeedbackTask } from '../tasks/mail-feedback.ts';
import { mailFeedbackEnvironment } from './environments/mail-feedback.ts';
import { readEnvironment } from './environments/read-environment.ts';
import { inInvocation, runtime } from './runtime.ts';

const environment = readEnvironment(mailFeedbackEnvironment);
const dynamo = dynamoDbClient();

export const handler = inInvocation(
  mailFeedbackTask({
    ...runtime,
    requests: requestsTable(dynamo, environment.REQUESTS_TABLE),
    addresses: undeliverableAddresses(dynamo, environment.DIRECTORY_TABLE),
    users: userDirectory(dynamo, environment.DIRECTORY_TABLE),
  }),
);
