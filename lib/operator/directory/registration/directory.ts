/**
 * The directory file: clients and users as an operator writes them (members under their registered
 * names).
 */
import * as z from 'zod/mini';
import { logins } from '../../../../lambdas/ciba/user/login.ts';
import { clientRegistration } from './client-registration.ts';
import { userRegistration } from './user-registration.ts';

/** Clients and users; a member nobody knows is an error that names it. */
export const directoryFile = z.strictObject(
  {
    clients: z
      ._default(z.array(clientRegistration, { error: 'must be a list' }), [])
      .check(unique((client) => [client.client_id], 'client_id')),
    users: z._default(z.array(userRegistration, { error: 'must be a list' }), []).check(
      unique((user) => [user.sub], 'sub'),
      unique(logins, 'username or email'),
    ),
  },
  { error: 'must be an object with clients and users' },
);

export type Directory = z.output<typeof directoryFile>;

/** A check that no two entries share a key. */
function unique<Entry>(keysOf: (entry: Entry) => string[], member: string) {
  return z.check<Entry[]>(({ value, issues }) => {
    const seen = new Map<string, number>();
    for (const [index, entry] of value.entries()) {
      for (const key of keysOf(entry)) {
        const first = seen.get(key);
        if (first === undefined) seen.set(key, index);
        else if (first !== index) {
          issues.push({
            code: 'custom',
            input: entry,
            path: [index],
            message: `has the same ${member} as entry ${first + 1}`,
          });
        }
      }
    }
  });
}
