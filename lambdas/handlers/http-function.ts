/** A function behind the HTTP API: the endpoint with all that an invocation has around it. */
import { withCallDeadline } from '../aws/call-deadline.ts';
import { httpHandler } from '../http/api-gateway-event.ts';
import { inInvocation } from './runtime.ts';

/**
 * The handler that answers API Gateway's events with this endpoint, in time, whatever the services
 * behind it take.
 */
export function httpFunction(...[issuer, endpoint]: Parameters<typeof httpHandler>) {
  return inInvocation(withCallDeadline(httpHandler(issuer, endpoint)));
}
