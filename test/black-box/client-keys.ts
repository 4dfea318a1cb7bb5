/**
 * Key pairs of the suite's clients: made for it, written down so that every process knows them, and
 * worth nothing.
 */
import { type CryptoKey, importJWK, type JWK } from 'jose';

export type KeyAlgorithm = 'ES256' | 'EdDSA' | 'RS256' | 'PS256';

export const privateKeys: Record<KeyAlgorithm, JWK> = {
  ES256: {
    kty: 'EC',
    crv: 'P-256',
    x: 'xjiLXGkvekRa26vNZmYz7RUmp0K-Ch7us60oWg6qkbQ',
    y: 'M8j7CzPZgsKrIE9XKrQ66QwjhdpyzQCrNaozLi3_yhI',
    d: 'a1a7wYuj5-ISEtivNDLlm65D0dah4FtRjnl_DT_iRH8',
    kid: 'es256',
    alg: 'ES256',
  },
  EdDSA: {
    kty: 'OKP',
    crv: 'Ed25519',
    x: 'wq-JOai2BJAkvi6W_FD9b1qNC8x10MS2iNpRMi9DYds',
    d: 'kmeUvG-oNGtx45n9kNUvaKhmlhYVmQpxlEiawsa0nMY',
    kid: 'eddsa',
    alg: 'EdDSA',
  },
  RS256: {
    kty: 'RSA',
    d: 'LOrMzYGDochfDcIJj_BTnOGOKmvshAL0OI2R7lomHYJuE5cYDEAV3L82UJ-wcgcckDaAzZ7dD536PbC5gjCzNYJbainbR1K22toHTLQYC6IXMPlYNenIU52POH363xBSyUHbu18Xu9z3o-jGwjVPCZJDnj9zppkBoAmvan8-BVt2y7Oi8cO10KFzwGXEfRA_s1w6oIWO0c9EprLU1B3BSv9rKGH8MSrAOVg-l5cuxqiuQkD_etw4zodpT7KhgDTkuF9Asbn4A8digqH5NK81Bax1FrGPiioSx0eirhKF-RPscnmdnhmy6nfDxf4WKm436fZ6QAe2bctOFK7x76Kqow',
    n: 'xq4Ak1FoaFwAsX-y563jFIVEK4rNUFM3DEW-FTxwIOgj-STAtTbeS9oTZoCD5UfPIESTqQRA55QChFCJTpwqcD91_fdD0_m2wDvAA8pqnjeh2mUdP134ghoElF61Cj2X9jJ8eZUesZQXEGU57KHqrUTzhoTz5ciGKinsomzGMH9Xm9pFdttIlftzQLiDIW6AQZPFHHmT_SOd53dDys005dDQgE-SeVTCkvj1EBOcO8wZt6vA1ARFjhWlksA_-eYo8QK3brS829EdGkEpCbJn7jFiRqEyeCfrb3qgYmA13xNMhzW_Cpvd4jeh-CPem5arCe1a59xBlFvwDgqpaIbZaQ',
    e: 'AQAB',
    p: '6NpN2IF5i7QAorq0NehGIOtxhnylPEttIPHWrgCrwQvqpO9sGgZeXmeFvctKkRb3I4-XfqL3JYLP9mtC7WzsNwLRvuZYC1NfXpJcDZCsXzozC6c34IVSx9PJgo0btE-Yp0y3R56m71-_ZtBdMNqPXoa3p68krjxwb-4jh8jzSKM',
    q: '2m4NuSgHmNFNRHHGdy1g7XARvovsBlwxlg5wWCjj_wNCUeRfoREtrJsyQGcp8x8a3rGxuf3GdIMTBxswRroH2LMtuuTFVW_Q8ysGmoPx3fEoeZdA64d0znBKeiD1i3EWvBkESIRJk5TDk5AIv0hEBD54ki-RqxMfllgo4X6ZeoM',
    dp: 'UvOqNc3yMe2fKFmg529mxEV7_PAcoT0xlEHzO6urhCstnTJZ7W-FYNY6U-G_H67xve5ihs-hgfB3C48smY5rHDHZ7Mr8ZJR_7h3vwzld3tLJ6oXYpxh35A4zxFlmnDaa6EaxKEeBqtcORZ9HA6do2cDeXlNLmvKXD5jjeXUCDkc',
    dq: 'afT-5TV80e2d7LjATGmP3j4B7YvUd5VbXG4uoyVazAaZsj31AZ3iqRszujgRCmWpVCOgkhd_oF9A6K6QsY5mZgEtCr8U1ogCNSNG9cdRmZb1Sl5L2LUBvW6NQkcgtX6rR51fDYpWYqfEY514EMoObHydYlR-9hy1sumbEx-ldd8',
    qi: 'XH88pVsc2644t5-Gt610jMqbpeXJNeYipUc72OI01Kgx_hvGaRcEYWa0NUUl-ULikGoKTm0HurHXg4GAQn3EmlfSImePGIkA_epLJGVf9bldyuiGkCsjLITh0vKlmUh2z2k2CJDPkoDzzoU1pTRo5eyaTWAAXObC9LRH2Z-CEiA',
    kid: 'rs256',
    alg: 'RS256',
  },
  PS256: {
    kty: 'RSA',
    d: 'LU9phDjIUQxmJeRIupP-wX2XI6AF5JSh8Lc3axPPDt1ksJePxr2mgCZYhsemr0MNujAYOPmeuskgl3eBWzmVugsoyflN3yPWclGJQPcjna4EMSBDQFUzRZJ9gT3S49S58j2mfErT18753363EZWisAhijiZv6ZsKc8szAzFIMJ0O4Ma2k8PnnQlZIQ3ox8AKfGYdju3iae8o7AD6KZGogHw0j9sXOJ8rcV_0pCGINxw6-5mdtr2u3ggfdMxia9nK3WUMgzmhGmYTGW28WZ_THpX4t7N375SSHUQmlJgNDCxBSacmfCKV_5r6Iy9eSJUpKeJzM_XQRhgVAMT5KBSCIQ',
    n: '0_STkDabyiUwPsGXiF0kURBY5oM5t1Ip1R3u3ZjDDgFOt-aSOS7WVa1-NinVqSCBwjLXkFnlZwTGq9Z_4qvaf2nHAo9T8-XvhVqD1AGxE7pOQ7C0GzKuXzI7oxbqlABl3pcXdgdidvhR1WYeMSE5hCrg34eC3p1wNZsKPWbKbDRARCtxqi3lQtE-FHePwz2jq_Xfa5oOWMnoxk77iy0Zr41AfDxdNhvUaw18_XwcIrdWrXjV9tZNbrN_B1JSMYJEeVFdQwvkHUfHEvRjcSpRa1VB0p1RnC2oTZed6iUAORxvXm4wR0J6KQwd0XwvxA_GfF1Q-Fb5p0IbX4hl89ZNqw',
    e: 'AQAB',
    p: '_7_KTUvYKAJvEsp0SB0McuR0TWub3luwSFkRwThXNjQ9V8l0Ud1vT8uiVBI1S_UpujPU5ulm207VGxWim5n3Vtx5JVCTSBOtrOk8t_z4ltg5EouRUCFxUwH3H8RsVuF-Arzet0a572DQRMgIhYBKUszOXiQCZdOub5XigtX73Wk',
    q: '1CnKg5jMcygsQv_qnWQHtRC7YsOqsYI0ukeQErLOiqyGmSNY7UZbiE3Jjl4GmMN0NeVBYjNFUPJQrU9tlJm7Q7pyqSjZFUtcrb33cgQt_NLl9tIr6p6Tz1waoUpUBbAuUCn549-o2IK07Vpoo1vKrrlSs7VI6ktdrG4Q21Auq_M',
    dp: 'pEQdvlQOvHQDv8AFvCPcURdnlCqf7Mxbh7yd6Ms1SP14wSAF9GcUDd6vnuwrC2SmrpCIGOClTgtuWX0l-meENGhb75m3X74z-TG97DcxvEGZNs4qQZuZXEWQ4viY1Zz0APIq4vEskBJQ8zzALG9gTZp6moDqgVjbW5Sb7olewrE',
    dq: 'wuyydz2HebXLFLNzpq8ktaJtx0vmI7hxIURmhgdp49amw0PKjBU8O3rcV8TjYq8QsgOzkrlwUfKPVOvIzeKAPrWqauhwqjPXLnl-Qm68obBSP_bRCnovazA_9zgHAkLgCh7GzCnNQz6zY-7QfGX1TZpO9XT1TO15Xtaw_g4pEyk',
    qi: 'B_rNjkU80EQMW9ffykKoHv6EEKQ2pccmfYa9FY_jjWHp5v1VtuwmkXHqShzuO9hGapxCLXpfIk8IlqxzBYS0SRnv5Niz6hA53Cl4G1q8eV01SpyT3mzhfVJsvYQZ7g8dk4TJlrIvQBl27FoJMLbsrtwVyI58rvcS0dTsW36hFBQ',
    kid: 'ps256',
    alg: 'PS256',
  },
};

/** The public half of a client's key, as it is registered. */
export function publicKey(alg: KeyAlgorithm): JWK {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...key } = privateKeys[alg];
  return key;
}

/** A client's key, for whoever signs as the client. */
export async function signingKey(alg: KeyAlgorithm): Promise<CryptoKey> {
  const key = await importJWK(privateKeys[alg], alg);
  if (key instanceof Uint8Array) throw new Error('a secret is no signing key');
  return key;
}
