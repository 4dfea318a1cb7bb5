/**
 * Keys that change under load (threats T25, F18, F19): whatever is signed at any moment verifies
 * with /jwks at that moment and for long after, and what the old keys made stays good.
 */
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { decide } from './authentication-device.ts';
import { poll, post, start } from './consumption-device.ts';
import { issuer, mailOf, rotationControl } from './deployment.ts';
import { clients, type TestClient, users } from './directory.ts';

const user = users.rotation;
const signers = [clients.basic, clients.basicEs256];

/** Chains of request, mail, approval and redemption that run side by side. */
const CHAINS = 4;
const ROTATIONS = 6;

const tokenAnswer = z.object({ id_token: z.string(), access_token: z.string() });
const rotationAnswer = z.object({ made: z.array(z.string()) });

async function mailed(client: TestClient) {
  const request = await start(client, user.username);
  const { link } = await mailOf(user.email, request.ref);
  return { ...request, link };
}

/** Both tokens of a request that the user approves. */
async function redeem(
  client: TestClient,
  { authReqId, link }: { authReqId: string; link: string },
) {
  const page = await decide(link, 'approve');
  if (page.status !== 200) throw new Error(`approval: ${page.status}`);
  const { status, body } = await poll(client, authReqId);
  if (status !== 200) throw new Error(`redemption: ${status} ${JSON.stringify(body)}`);
  const { id_token, access_token } = tokenAnswer.parse(body);
  return [id_token, access_token];
}

/**
 * The keys as a verifier has them who reads /jwks once, and again for a key that it does not know.
 */
function keysOfVerifier() {
  return createRemoteJWKSet(new URL(`${issuer}/jwks`), { cooldownDuration: 0 });
}

async function rotateKeys(): Promise<string[]> {
  const response = await fetch(String(rotationControl), { method: 'POST' });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return rotationAnswer.parse(await response.json()).made;
}

/** The kids that signed, by algorithm. */
function kidsOf(tokens: string[]): Map<string, Set<string>> {
  const kids = new Map<string, Set<string>>();
  for (const token of tokens) {
    const { alg = '', kid = '' } = decodeProtectedHeader(token);
    kids.set(alg, (kids.get(alg) ?? new Set()).add(kid));
  }
  return kids;
}

it.skipIf(rotationControl === undefined)(
  'T25, F18, F19: no verification fails while keys rotate, and tokens and links from before stay good',
  async () => {
    const before = await redeem(clients.basicEs256, await mailed(clients.basicEs256));
    const openLinks = await Promise.all(signers.map(mailed));

    const keys = keysOfVerifier();
    const failures: unknown[] = [];
    const tokens: string[] = [];
    const redemptions = Array<number>(CHAINS).fill(0);
    let isOver = false;
    const chains = Array.from({ length: CHAINS }, async (_, index) => {
      const client = signers[index % signers.length] ?? clients.basic;
      while (!isOver) {
        try {
          const issued = await redeem(client, await mailed(client));
          for (const token of issued) await jwtVerify(token, keys, { issuer });
          tokens.push(...issued);
        } catch (error) {
          failures.push(error);
        }
        redemptions[index] = (redemptions[index] ?? 0) + 1;
      }
    });
    for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
      // Of two redemptions that end one at least was begun with the keys of now.
      const enough = redemptions.map((count) => count + 2);
      const areAllOn = () => redemptions.every((count, index) => count >= (enough[index] ?? 0));
      await expect.poll(areAllOn, { timeout: 120_000 }).toBe(true);
      expect(new Set(await rotateKeys())).toEqual(new Set(['RS256', 'ES256', 'link', 'wrap']));
    }
    isOver = true;
    await Promise.all(chains);

    expect(failures).toEqual([]);
    for (const kids of kidsOf(tokens).values()) expect(kids.size).toBeGreaterThanOrEqual(ROTATIONS);

    for (const [index, request] of openLinks.entries()) {
      tokens.push(...(await redeem(signers[index] ?? clients.basic, request)));
    }
    const keysOfNewVerifier = keysOfVerifier();
    for (const token of [...before, ...tokens])
      await jwtVerify(token, keysOfNewVerifier, { issuer });

    const [id_token_hint = ''] = before;
    const hinted = { scope: 'openid', id_token_hint };
    expect((await post('/cibaAuthorization', clients.basicEs256, hinted)).status).toBe(200);
  },
);
