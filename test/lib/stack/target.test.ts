/**
 * The setting `target=emulator` leaves out exactly what the emulator refuses, and changes nothing
 * else.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { createProviderApp } from '../../../lib/stack/provider-app.ts';

/** What MiniStack 1.5.33 refuses of what the stack is made of. */
const refused = ['AWS::SES::Template'];

const folder = mkdtempSync(join(tmpdir(), 'ciba-target-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const templateSchema = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string() })),
});

function synthesize(target: 'aws' | 'emulator') {
  vi.stubEnv('CDK_VALIDATION', 'false');
  const outdir = join(folder, target);
  const context = { issuer: 'http://localhost:1', target, 'aws:cdk:bundling-stacks': [] };
  const provider = createProviderApp({ outdir, context });
  if ('mistakes' in provider) throw new Error(provider.mistakes.join('\n'));
  provider.app.synth();
  const text = readFileSync(join(outdir, 'CibaProvider.template.json'), 'utf8');
  return templateSchema.parse(JSON.parse(text));
}

describe('target=emulator', () => {
  let aws: z.output<typeof templateSchema>;
  let emulator: z.output<typeof templateSchema>;
  beforeAll(() => {
    aws = synthesize('aws');
    emulator = synthesize('emulator');
  });

  it('leaves out exactly the types that the emulator refuses, and all of them', () => {
    const typesLeftOut = Object.entries(aws.Resources)
      .filter(([id]) => !(id in emulator.Resources))
      .map(([, { Type }]) => Type);
    expect([...new Set(typesLeftOut)]).toEqual(refused);
    const types = Object.values(emulator.Resources).map(({ Type }) => Type);
    expect(types.filter((type) => refused.includes(type))).toEqual([]);
  });

  it('P34: lets no function of either call another S3 than that of AWS', () => {
    for (const { Resources } of [aws, emulator]) {
      expect(JSON.stringify(Resources)).not.toContain('AWS_ENDPOINT_URL');
    }
  });

  it('changes nothing else', () => {
    const kept = Object.entries(aws.Resources).filter(([, { Type }]) => !refused.includes(Type));
    expect(emulator).toEqual({ ...aws, Resources: Object.fromEntries(kept) });
  });
});
