/** French. */
import { pluralForm } from './plural.ts';
import type { Texts } from './texts.ts';

export const fr: Texts = {
  locale: 'fr',
  direction: 'ltr',

  asksForApproval: (clientName) => `${clientName} sollicite votre approbation`,
  onlyIfYou: (clientName) =>
    `N’approuvez que si c’est bien vous qui utilisez ${clientName} en ce moment.`,
  others: (count, times) =>
    `${pluralForm('fr', count, {
      one: '1 autre demande vous attend, lancée',
      other: `${count} autres demandes vous attendent, lancées`,
    })} à ${times}. N’approuvez celle-ci que si c’est celle que vous avez lancée.`,
  shownElsewhere: 'Affiché sur l’autre appareil. Il doit indiquer exactement ceci\u00a0:',
  elseDeny: 'S’il affiche autre chose, choisissez «\u00a0Refuser\u00a0».',
  code: 'Code affiché sur l’autre appareil',
  codeHint:
    'Lisez-le sur l’appareil devant vous. Si quelqu’un vous a dit ou envoyé un code, ne le saisissez pas\u00a0: choisissez «\u00a0Ce n’était pas moi\u00a0».',
  codeMissing: 'Pour approuver, saisissez le code affiché sur l’autre appareil.',
  codeWrong: (left) =>
    `Ce n’est pas le bon code. ${pluralForm('fr', left, {
      one: 'Il vous reste un essai\u00a0; ensuite, la demande sera refusée.',
      other: `Il vous reste ${left} essais.`,
    })}`,
  ifYouApprove: (clientName) => `Si vous approuvez, ${clientName} pourra\u00a0:`,
  scopes: {
    openid: 'savoir qu’il s’agit bien de vous',
    profile: 'voir votre nom, votre nom d’utilisateur et votre langue',
    email: 'voir votre adresse e-mail',
  },
  offlineAccess: (span) => `conserver cet accès pendant ${span} sans vous redemander à chaque fois`,
  otherScope: (value) => `utiliser\u00a0: ${value}`,

  domain: 'Domaine enregistré\u00a0:',
  noDomain: 'aucun',
  asked: 'Demandé',
  ends: 'Expire',
  requestId: 'Identifiant de la demande',
  justNow: 'à l’instant',
  ago: (span) => `il y a ${span}`,
  inTime: (span) => `dans ${span}`,
  over: 'la demande a expiré',

  approve: 'Approuver',
  deny: 'Refuser',
  report: 'Ce n’était pas moi',
  notYou:
    'Si vous n’avez pas lancé cette demande, choisissez «\u00a0Ce n’était pas moi\u00a0». Aucune personne qui vous appelle ou vous écrit n’a besoin que vous approuviez.',

  notices: {
    approved: {
      title: 'Approuvé',
      text: 'L’autre appareil continue de lui-même dans quelques secondes. Vous pouvez fermer cette page.',
    },
    denied: {
      title: 'Refusé',
      text: 'Rien n’a été communiqué. L’autre appareil est informé de votre refus. Vous pouvez fermer cette page.',
    },
    reported: {
      title: 'Refusé et signalé',
      text: 'Rien n’a été communiqué. Nous avons noté que cette demande ne venait pas de vous, et l’autre appareil est informé du refus. Vous pouvez fermer cette page.',
    },
    denied_by_codes: {
      title: 'Refusé',
      text: 'Le code était faux trois fois\u00a0: la demande a été refusée et rien n’a été communiqué. Si vous le souhaitez toujours, recommencez sur l’autre appareil.',
    },
    already_approved: {
      title: 'Déjà approuvé',
      text: 'Cette demande a déjà été approuvée. Un lien ne décide qu’une seule fois.',
    },
    already_denied: {
      title: 'Déjà refusé',
      text: 'Cette demande a déjà été refusée. Un lien ne décide qu’une seule fois.',
    },
    expired: {
      title: 'Trop tard',
      text: 'Cette demande a expiré et rien n’a été communiqué. Si vous le souhaitez toujours, recommencez sur l’autre appareil.',
    },
    withdrawn: {
      title: 'N’est plus valable',
      text: 'Cette demande ne peut plus être approuvée et rien n’a été communiqué. Si vous le souhaitez toujours, recommencez sur l’autre appareil.',
    },
    unknown: {
      title: 'Rien à cette adresse',
      text: 'Ce lien ne correspond à aucune demande. Ouvrez le lien exactement tel qu’il figure dans l’e-mail.',
    },
    form: {
      title: 'Veuillez rouvrir le lien',
      text: 'La page est restée ouverte trop longtemps ou ne venait pas de nous\u00a0; rien n’a été décidé. Rouvrez le lien figurant dans l’e-mail.',
    },
    decision: {
      title: 'Rien n’a été décidé',
      text: 'La réponse n’a pas pu être lue. Rouvrez le lien figurant dans l’e-mail et choisissez «\u00a0Approuver\u00a0» ou «\u00a0Refuser\u00a0».',
    },
    method: {
      title: 'Rien n’a été décidé',
      text: 'Cette adresse ne s’ouvre que dans un navigateur.',
    },
    unavailable: {
      title: 'Veuillez réessayer',
      text: 'Quelque chose n’a pas répondu de notre côté. Rouvrez le lien dans un instant pour voir si votre décision a été prise en compte.',
    },
  },
};
