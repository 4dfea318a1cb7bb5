/** German. */
import { pluralForm } from './plural.ts';
import type { Texts } from './texts.ts';

export const de: Texts = {
  locale: 'de',
  direction: 'ltr',

  asksForApproval: (clientName) => `${clientName} bittet um Ihre Zustimmung`,
  onlyIfYou: (clientName) =>
    `Stimmen Sie nur zu, wenn Sie selbst ${clientName} gerade jetzt benutzen.`,
  others: (count, times) =>
    `${pluralForm('de', count, {
      one: '1 weitere Anfrage wartet auf Sie',
      other: `${count} weitere Anfragen warten auf Sie`,
    })}, gestellt um ${times}. Stimmen Sie dieser nur zu, wenn es die ist, die Sie gestartet haben.`,
  shownElsewhere: 'Anzeige auf dem anderen Gerät. Dort muss genau dies stehen:',
  elseDeny: 'Steht dort etwas anderes, wählen Sie „Ablehnen“.',
  code: 'Code auf dem anderen Gerät',
  codeHint:
    'Lesen Sie ihn vom Gerät vor Ihnen ab. Hat Ihnen jemand einen Code gesagt oder geschickt, geben Sie ihn nicht ein, sondern wählen Sie „Das war ich nicht“.',
  codeMissing: 'Um zuzustimmen, geben Sie den Code ein, den das andere Gerät zeigt.',
  codeWrong: (left) =>
    `Das ist nicht der Code. ${pluralForm('de', left, {
      one: 'Sie haben noch einen Versuch; danach wird die Anfrage abgelehnt.',
      other: `Sie haben noch ${left} Versuche.`,
    })}`,
  ifYouApprove: (clientName) => `Wenn Sie zustimmen, kann ${clientName}:`,
  scopes: {
    openid: 'wissen, dass Sie es sind',
    profile: 'Ihren Namen, Benutzernamen und Ihre Sprache sehen',
    email: 'Ihre E-Mail-Adresse sehen',
  },
  offlineAccess: (span) => `diesen Zugang ${span} lang behalten, ohne Sie jedes Mal zu fragen`,
  otherScope: (value) => `nutzen: ${value}`,

  domain: 'Registrierte Domain:',
  noDomain: 'keine registriert',
  asked: 'Gefragt',
  ends: 'Endet',
  requestId: 'Anfrage-ID',
  justNow: 'gerade eben',
  ago: (span) => `vor ${span}`,
  inTime: (span) => `in ${span}`,
  over: 'die Anfrage ist beendet',

  approve: 'Zustimmen',
  deny: 'Ablehnen',
  report: 'Das war ich nicht',
  notYou:
    'Wenn Sie das nicht gestartet haben, wählen Sie „Das war ich nicht“. Niemand, der Sie anruft oder Ihnen schreibt, ist darauf angewiesen, dass Sie zustimmen.',

  notices: {
    approved: {
      title: 'Zugestimmt',
      text: 'Auf dem anderen Gerät geht es in wenigen Sekunden von selbst weiter. Sie können diese Seite schließen.',
    },
    denied: {
      title: 'Abgelehnt',
      text: 'Es wurde nichts freigegeben. Das andere Gerät erfährt, dass Sie abgelehnt haben. Sie können diese Seite schließen.',
    },
    reported: {
      title: 'Abgelehnt und gemeldet',
      text: 'Es wurde nichts freigegeben. Wir haben festgehalten, dass diese Anfrage nicht von Ihnen kam, und das andere Gerät erfährt die Ablehnung. Sie können diese Seite schließen.',
    },
    denied_by_codes: {
      title: 'Abgelehnt',
      text: 'Der Code war dreimal falsch. Die Anfrage wurde deshalb abgelehnt und nichts freigegeben. Wenn Sie sie noch möchten, beginnen Sie auf dem anderen Gerät von vorn.',
    },
    already_approved: {
      title: 'Bereits zugestimmt',
      text: 'Dieser Anfrage wurde schon zugestimmt. Ein Link entscheidet nur einmal.',
    },
    already_denied: {
      title: 'Bereits abgelehnt',
      text: 'Diese Anfrage wurde schon abgelehnt. Ein Link entscheidet nur einmal.',
    },
    expired: {
      title: 'Zu spät',
      text: 'Diese Anfrage ist beendet, und es wurde nichts freigegeben. Wenn Sie es noch möchten, beginnen Sie auf dem anderen Gerät von vorn.',
    },
    withdrawn: {
      title: 'Nicht mehr gültig',
      text: 'Dieser Anfrage kann nicht mehr zugestimmt werden, und es wurde nichts freigegeben. Wenn Sie es noch möchten, beginnen Sie auf dem anderen Gerät von vorn.',
    },
    unknown: {
      title: 'Hier ist nichts',
      text: 'Dieser Link gehört zu keiner Anfrage. Öffnen Sie den Link genau so, wie er in der E-Mail steht.',
    },
    form: {
      title: 'Bitte öffnen Sie den Link noch einmal',
      text: 'Die Seite war zu lange offen oder kam nicht von uns; es wurde nichts entschieden. Öffnen Sie den Link in der E-Mail noch einmal.',
    },
    decision: {
      title: 'Es wurde nichts entschieden',
      text: 'Die Antwort war nicht zu lesen. Öffnen Sie den Link in der E-Mail noch einmal und wählen Sie „Zustimmen“ oder „Ablehnen“.',
    },
    method: {
      title: 'Es wurde nichts entschieden',
      text: 'Diese Adresse lässt sich nur in einem Browser öffnen.',
    },
    unavailable: {
      title: 'Bitte versuchen Sie es noch einmal',
      text: 'Bei uns hat etwas nicht geantwortet. Öffnen Sie den Link gleich noch einmal, um zu sehen, ob Ihre Entscheidung gezählt hat.',
    },
  },
};
