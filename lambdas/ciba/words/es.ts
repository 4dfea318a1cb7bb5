/** Spanish. */
import { pluralForm } from './plural.ts';
import type { Texts } from './texts.ts';

export const es: Texts = {
  locale: 'es',
  direction: 'ltr',

  asksForApproval: (clientName) => `${clientName} solicita su aprobación`,
  onlyIfYou: (clientName) =>
    `Apruebe solo si es usted quien está usando ${clientName} en este momento.`,
  others: (count, times) =>
    `${pluralForm('es', count, {
      one: 'Otra solicitud espera su decisión, iniciada',
      other: `Otras ${count} solicitudes esperan su decisión, iniciadas`,
    })} a las ${times}. Apruebe esta solo si es la que usted ha iniciado.`,
  shownElsewhere: 'Mostrado en el otro dispositivo. Debe decir exactamente esto:',
  elseDeny: 'Si muestra cualquier otra cosa, elija «Rechazar».',
  code: 'Código que muestra el otro dispositivo',
  codeHint:
    'Léalo en el dispositivo que tiene delante. Si alguien le ha dicho o enviado un código, no lo escriba: elija «No he sido yo».',
  codeMissing: 'Para aprobar, escriba el código que muestra el otro dispositivo.',
  codeWrong: (left) =>
    `Ese no es el código. ${pluralForm('es', left, {
      one: 'Le queda un intento; después, la solicitud se rechazará.',
      other: `Le quedan ${left} intentos.`,
    })}`,
  ifYouApprove: (clientName) => `Si aprueba, ${clientName} podrá:`,
  scopes: {
    openid: 'saber que es usted',
    profile: 'ver su nombre, su nombre de usuario y su idioma',
    email: 'ver su dirección de correo electrónico',
  },
  offlineAccess: (span) => `conservar este acceso durante ${span} sin preguntarle cada vez`,
  otherScope: (value) => `usar: ${value}`,

  domain: 'Dominio registrado:',
  noDomain: 'ninguno',
  asked: 'Solicitado',
  ends: 'Termina',
  requestId: 'ID de la solicitud',
  justNow: 'ahora mismo',
  ago: (span) => `hace ${span}`,
  inTime: (span) => `en ${span}`,
  over: 'la solicitud ha terminado',

  approve: 'Aprobar',
  deny: 'Rechazar',
  report: 'No he sido yo',
  notYou:
    'Si usted no ha iniciado esto, elija «No he sido yo». Nadie que le llame o le escriba necesita que usted apruebe.',

  notices: {
    approved: {
      title: 'Aprobada',
      text: 'El otro dispositivo continúa por sí solo en unos segundos. Puede cerrar esta página.',
    },
    denied: {
      title: 'Rechazada',
      text: 'No se ha facilitado nada. Se comunica al otro dispositivo que usted ha rechazado. Puede cerrar esta página.',
    },
    reported: {
      title: 'Rechazada y denunciada',
      text: 'No se ha facilitado nada. Hemos registrado que esta solicitud no era suya, y se comunica el rechazo al otro dispositivo. Puede cerrar esta página.',
    },
    denied_by_codes: {
      title: 'Rechazada',
      text: 'El código fue incorrecto tres veces, así que la solicitud se ha rechazado y no se ha facilitado nada. Si todavía lo desea, empiece de nuevo en el otro dispositivo.',
    },
    already_approved: {
      title: 'Ya aprobada',
      text: 'Esta solicitud ya se aprobó antes. Un enlace decide una sola vez.',
    },
    already_denied: {
      title: 'Ya rechazada',
      text: 'Esta solicitud ya se rechazó antes. Un enlace decide una sola vez.',
    },
    expired: {
      title: 'Demasiado tarde',
      text: 'Esta solicitud ha terminado y no se ha facilitado nada. Si todavía lo desea, empiece de nuevo en el otro dispositivo.',
    },
    withdrawn: {
      title: 'Ya no es válida',
      text: 'Esta solicitud ya no se puede aprobar y no se ha facilitado nada. Si todavía lo desea, empiece de nuevo en el otro dispositivo.',
    },
    unknown: {
      title: 'Aquí no hay nada',
      text: 'Este enlace no corresponde a ninguna solicitud. Abra el enlace exactamente como figura en el correo.',
    },
    form: {
      title: 'Abra el enlace otra vez',
      text: 'La página estuvo abierta demasiado tiempo o no era nuestra, así que no se ha decidido nada. Abra otra vez el enlace del correo.',
    },
    decision: {
      title: 'No se ha decidido nada',
      text: 'No se ha podido leer la respuesta. Abra otra vez el enlace del correo y elija «Aprobar» o «Rechazar».',
    },
    method: {
      title: 'No se ha decidido nada',
      text: 'Esta dirección solo se puede abrir en un navegador.',
    },
    unavailable: {
      title: 'Inténtelo de nuevo',
      text: 'Algo no ha respondido por nuestra parte. Abra otra vez el enlace dentro de un momento para ver si su decisión ha contado.',
    },
  },
};
