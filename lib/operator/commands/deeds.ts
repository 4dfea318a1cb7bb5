/**
 * What every command does to what others work with, for its help and for a test that walks all
 * commands: whatever stops somebody's work asks before it does.
 */

export type Deed =
  /** Changes nothing. */
  | { does: 'reads' }
  /** Asks, unless `--yes` says yes: what it stops, or when. */
  | { does: 'asks'; because: string }
  /** Changes something without a question: why it may. */
  | { does: 'acts'; because: string };

const reads: Deed = { does: 'reads' };
const asks = (because: string): Deed => ({ does: 'asks', because });
const acts = (because: string): Deed => ({ does: 'acts', because });

/** By the words of the command. */
export const deeds: Readonly<Record<string, Deed>> = {
  apply: asks('whatever it changes'),
  'client list': reads,
  'client show': reads,
  'client rotate-secret': asks('from its end on whoever has the present secret is refused'),
  'client enable': acts('nobody is stopped by it'),
  'client disable': asks('the client is refused everywhere'),
  'client remove': asks('the client, its requests and its refresh tokens end'),
  'client revoke-tokens': asks('what was approved for the client gives no tokens any more'),
  'user list': reads,
  'user show': reads,
  'user enable': acts('nobody is stopped by it'),
  'user disable': asks('the user can be asked and approve no more'),
  'user import': asks('if users who are there are disabled or get another address'),
  'user remove': asks('the user, their requests and their refresh tokens end'),
  'user clear-undeliverable': acts('nobody is stopped by it'),
  'user clear-limits': asks('whoever was kept from asking the user is kept no more'),
  'user revoke-tokens': asks('what the user has approved gives no tokens any more'),
  'audit list': reads,
  'audit show': reads,
  'audit stats': reads,
  'audit revoke': asks('the refresh token ends'),
  doctor: reads,
  'flow list': reads,
  'keys list': reads,
  'keys rotate': asks('the present keys sign no more after the lead'),
  'keys remove': asks('what the key signed verifies nowhere'),
  'policy list': reads,
  smoke: acts('it makes one request of the user that is named'),
  'template list': reads,
  'template push': asks('users get the mails of these files from then on'),
  'template preview': reads,
  'template test': acts('it sends one mail to the address that is given'),
  trace: reads,
};

/** What help says of it. */
export function describeDeed(deed: Deed): string {
  switch (deed.does) {
    case 'reads':
      return 'Changes nothing.';
    case 'asks':
      return `Asks: ${deed.because}. --yes says yes, and is needed where there is no terminal.`;
    case 'acts':
      return `Asks nothing: ${deed.because}.`;
  }
}
