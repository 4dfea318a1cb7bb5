/**
 * Logos in plans and in the table: nothing is written twice, no client ever refers to a logo that
 * is not there, and what is left out is gone (threats T31).
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logoItem } from '../../../../lambdas/aws/client-logos-table.ts';
import { storedClient } from '../../../../lambdas/ciba/client/client.ts';
import { applyPlan } from '../../../../lib/operator/directory/carry-out-plan.ts';
import { findClient, rotateSecret } from '../../../../lib/operator/directory/clients.ts';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import type { DirectoryStore } from '../../../../lib/operator/directory/directory-items.ts';
import { planDirectory } from '../../../../lib/operator/directory/make-plan.ts';
import { planJson, planRows } from '../../../../lib/operator/directory/print-plan.ts';
import { encodeLogo } from '../../../../lib/operator/images/encode-logo.ts';
import { disturb } from '../../../support/disturbed-calls.ts';
import { fileOf, logoUri, plainPng, pngOf, quarters } from '../../../support/example-images.ts';
import { addWrappingKey } from '../../../support/stored-secrets.ts';
import {
  directoryOf,
  type TestTables,
  tablesOnDynalite,
} from '../../../support/tables-on-dynalite.ts';

let tables: TestTables;
let store: DirectoryStore;
beforeEach(async () => {
  tables = await tablesOnDynalite();
  await addWrappingKey(tables, 'first');
  store = directoryOf(tables);
});
afterEach(() => tables.stop());

const client = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
  client_secret: 'a secret of thirty-two characters at least',
};

const red = plainPng(8, 8, [255, 0, 0, 255]);
const blue = plainPng(8, 8, [0, 0, 255, 255]);
const hashOf = (image: Buffer) => encodeLogo(fileOf(image)).hash;
const pathOf = (image: Buffer) => `/logo/pump-4/${hashOf(image)}`;

/** The client, with this logo. */
const pump = (image?: Buffer) => ({ ...client, ...(image && { logo_uri: logoUri(image) }) });

const plan = (directory: object, prune = false) =>
  planDirectory(store, parseDirectory(directory), { prune });

async function apply(directory: object, prune = false): Promise<void> {
  const { fault } = await applyPlan(store, await plan(directory, prune));
  expect(fault).toBeUndefined();
}

/** What the client refers to, and what there is. */
async function stored(): Promise<{ refersTo: string | undefined; logos: string[] }> {
  const items = await tables.items('directory');
  const logo = items['logo#pump-4'] && logoItem.parse(items['logo#pump-4']);
  return {
    refersTo: items['client#pump-4'] && storedClient.parse(items['client#pump-4']).logo_hash,
    logos: [logo, logo?.before].flatMap((one) => (one ? [one.hash] : [])),
  };
}

describe('a plan', () => {
  it('tells a logo by where it is served, never by its bytes', async () => {
    const added = await plan({ clients: [pump(red)] });
    expect(planRows(added).rows).toEqual([
      [
        '+ add',
        'client pump-4',
        '',
        '',
        `Fuel & Go, Pump 4, client_secret_basic, ${pathOf(red)}, secret is set`,
      ],
    ]);
    await apply({ clients: [pump(red)] });
    const changed = planJson(await plan({ clients: [pump(blue)] }));
    expect(changed.changes[0]?.members).toEqual([
      { member: 'logo_uri', before: pathOf(red), after: pathOf(blue) },
    ]);
    const removed = planJson(await plan({ clients: [pump()] }));
    expect(removed.changes[0]?.members).toEqual([{ member: 'logo_uri', before: pathOf(red) }]);
    expect(JSON.stringify([planJson(added), changed, removed])).not.toContain('base64');
  });

  it('has nothing to write the second time: not one call', async () => {
    await apply({ clients: [pump(quarters.jpeg)] });
    tables.sent.length = 0;
    await apply({ clients: [pump(quarters.jpeg)] });
    await apply({ clients: [pump(quarters.jpeg)] }, true);
    expect(tables.writes()).toEqual([]);
  });

  it('writes a logo of an unchanged client only if it is another one', async () => {
    await apply({ clients: [pump(red)] });
    tables.sent.length = 0;
    await apply({ clients: [{ ...pump(red), interval: 5 }] });
    expect(tables.writes()).toEqual(['UpdateItemCommand']);
  });

  it('names every client whose logo cannot be drawn, before anything is written', async () => {
    const damaged = logoUri(pngOf());
    const large = logoUri(plainPng(2049, 1, [0, 0, 0, 255]));
    const planned = plan({
      clients: [
        { ...client, logo_uri: damaged },
        { ...client, client_id: 'desk-1', logo_uri: large },
      ],
    });
    const error = await planned.catch((fault: unknown) => fault);
    expect(error).toMatchObject({ name: 'OperatorError', code: 'usage' });
    // What is wrong is the file, and not what is stored.
    expect(String(error)).toContain('client pump-4 logo_uri: is no PNG that can be drawn');
    expect(String(error)).toContain('client desk-1 logo_uri: is an image of 2049 × 1 pixels');
    expect(await tables.items('directory')).toEqual({});
  });

  it('stores a logo again that somebody removed by hand', async () => {
    await apply({ clients: [pump(red)] });
    await tables.remove('directory', 'logo#pump-4');
    const mending = await plan({ clients: [pump(red)] });
    expect(planJson(mending).changes[0]?.members).toEqual([
      { member: 'logo_uri', after: pathOf(red) },
    ]);
    await applyPlan(store, mending);
    expect((await stored()).logos).toEqual([hashOf(red)]);
  });
});

describe('the table', () => {
  it('has the logo in an item of its own, which the client refers to', async () => {
    await apply({ clients: [pump(red)] });
    expect(await stored()).toEqual({ refersTo: hashOf(red), logos: [hashOf(red)] });
    expect((await tables.items('directory'))['client#pump-4']).not.toHaveProperty('logo_uri');
  });

  it('keeps the logo before, for those who know the client as it was, and no older one', async () => {
    await apply({ clients: [pump(red)] });
    await apply({ clients: [pump(blue)] });
    expect(await stored()).toEqual({
      refersTo: hashOf(blue),
      logos: [hashOf(blue), hashOf(red)],
    });
    await apply({ clients: [pump(quarters.png)] });
    expect((await stored()).logos).toEqual([hashOf(quarters.png), hashOf(blue)]);
  });

  it('has no logo any more once it is left out', async () => {
    await apply({ clients: [pump(red)] });
    await apply({ clients: [pump(blue)] });
    await apply({ clients: [pump()] });
    expect(await stored()).toEqual({ refersTo: undefined, logos: [] });
    expect(Object.keys(await tables.items('directory'))).toEqual(['client#pump-4']);
  });

  it('has no logo any more once its client is pruned', async () => {
    await apply({ clients: [pump(red)] });
    await apply({ clients: [] }, true);
    expect(await tables.items('directory')).toEqual({});
  });

  it.each([
    ['the first', undefined, red],
    ['another', red, blue],
    ['none', red, undefined],
  ])('has at every moment what the client refers to: %s', async (_which, before, after) => {
    await apply({ clients: [pump(before)] });
    const moments: boolean[] = [];
    let isWatched = true;
    const look = async () => {
      if (!isWatched) return;
      isWatched = false;
      const { refersTo, logos } = await stored();
      moments.push(refersTo === undefined || logos.includes(refersTo));
      isWatched = true;
    };
    disturb(tables.client, look, 'after');
    await apply({ clients: [pump(after)] });
    expect(moments.length).toBeGreaterThan(2);
    expect(moments).not.toContain(false);
  });

  it('goes on where a run broke off', async () => {
    await apply({ clients: [pump(red)] });
    const mine = await plan({ clients: [pump(blue)] });
    let isBroken = true;
    disturb(tables.client, ({ command }) => {
      if (isBroken && command === 'UpdateItemCommand') throw new Error('the connection broke');
    });
    expect((await applyPlan(store, mine)).fault).toBeDefined();
    expect(await stored()).toEqual({ refersTo: hashOf(red), logos: [hashOf(blue), hashOf(red)] });
    isBroken = false;
    await apply({ clients: [pump(quarters.gif)] });
    expect(await stored()).toEqual({
      refersTo: hashOf(quarters.gif),
      logos: [hashOf(quarters.gif), hashOf(red)],
    });
  });
});

describe('two operators at once', () => {
  it('who give one client two logos: the client has the logo of the one who is not told', async () => {
    await apply({ clients: [pump()] });
    const mine = await plan({ clients: [pump(red)] });
    const theirs = await plan({ clients: [pump(blue)] });
    const results = await Promise.all([applyPlan(store, mine), applyPlan(store, theirs)]);
    const faults = results.map(({ fault }) => fault).filter(Boolean);
    expect(faults).toHaveLength(1);
    expect(String(faults[0])).toContain('client pump-4: was changed by somebody else');
    const { refersTo, logos } = await stored();
    expect(refersTo).toBe(hashOf(results[0]?.fault === undefined ? red : blue));
    expect(logos).toContain(refersTo);
  });

  it('who says yes to an old plan changes nothing of the logo that is there by now', async () => {
    await apply({ clients: [pump(red)] });
    const mine = await plan({ clients: [pump(blue)] });
    await apply({ clients: [pump(quarters.png)] });
    const { fault } = await applyPlan(store, mine);
    expect(String(fault)).toContain('client pump-4: was changed by somebody else');
    const theirs = hashOf(quarters.png);
    expect(await stored()).toEqual({ refersTo: theirs, logos: [theirs, hashOf(red)] });
  });

  it('who is a moment too late changes nothing of it either', async () => {
    await apply({ clients: [pump(red)] });
    const mine = await plan({ clients: [pump(blue)] });
    let isBetween = true;
    disturb(tables.client, async ({ command }) => {
      if (!isBetween || command !== 'PutItemCommand') return;
      isBetween = false;
      await apply({ clients: [pump(quarters.png)] });
    });
    const { fault } = await applyPlan(store, mine);
    expect(String(fault)).toContain('client pump-4: was changed by somebody else');
    expect(await stored()).toMatchObject({ refersTo: hashOf(quarters.png) });
    expect((await stored()).logos).toContain(hashOf(quarters.png));
  });

  it('whose logo is changed by the next one before all is done leave that one', async () => {
    await apply({ clients: [pump(red)] });
    const mine = await plan({ clients: [pump(blue)] });
    let isBetween = true;
    disturb(
      tables.client,
      async ({ command }) => {
        if (!isBetween || command !== 'UpdateItemCommand') return;
        isBetween = false;
        await apply({ clients: [pump(quarters.png)] });
      },
      'after',
    );
    expect((await applyPlan(store, mine)).fault).toBeUndefined();
    const theirs = hashOf(quarters.png);
    expect(await stored()).toEqual({ refersTo: theirs, logos: [theirs, hashOf(blue)] });
  });

  it('whoever stores a logo in between, and not the client: it is put right', async () => {
    await apply({ clients: [pump(red)] });
    const mine = await plan({ clients: [pump(blue)] });
    const theirs = await plan({ clients: [pump(quarters.png)] });
    let isBetween = true;
    disturb(tables.client, async ({ command }) => {
      if (!isBetween || command !== 'UpdateItemCommand') return;
      isBetween = false;
      let isLost = true;
      disturb(tables.client, ({ command: theirCommand }) => {
        if (!isLost || theirCommand !== 'UpdateItemCommand') return;
        isLost = false;
        throw new Error('the connection broke');
      });
      await applyPlan(store, theirs);
    });
    expect((await applyPlan(store, mine)).fault).toBeUndefined();
    const { refersTo, logos } = await stored();
    expect(refersTo).toBe(hashOf(blue));
    expect(logos[0]).toBe(hashOf(blue));
  });

  it('a logo that is another one by now is not removed with the one before', async () => {
    await apply({ clients: [pump(red)] });
    const mine = await plan({ clients: [pump()] });
    let isBetween = true;
    disturb(tables.client, async ({ command }) => {
      if (!isBetween || command !== 'DeleteItemCommand') return;
      isBetween = false;
      await apply({ clients: [pump(blue)] });
    });
    await applyPlan(store, mine);
    expect(await stored()).toMatchObject({ refersTo: hashOf(blue), logos: [hashOf(blue)] });
  });
});

describe('a client with a logo', () => {
  it('is shown with the path of it, in place of what was registered', async () => {
    await apply({ clients: [pump(red)] });
    const shown = await findClient(store, 'pump-4');
    expect(shown?.members).toMatchObject({ client_id: 'pump-4', logo_uri: pathOf(red) });
    expect(shown?.members).not.toHaveProperty('logo_hash');
    await apply({ clients: [pump()] });
    expect((await findClient(store, 'pump-4'))?.members).not.toHaveProperty('logo_uri');
  });

  it('has its secret judged and rotated like any other, and keeps its logo', async () => {
    const signing = { ...pump(red), token_endpoint_auth_method: 'client_secret_post' };
    await apply({ clients: [signing] });
    const rotation = { keepSeconds: 60, force: false };
    await expect(rotateSecret(store, 'pump-4', { ...rotation, secret: 'short' })).rejects.toThrow(
      'client_secret: must be 32 to 128',
    );
    await rotateSecret(store, 'pump-4', rotation);
    expect((await stored()).refersTo).toBe(hashOf(red));
  });
});
