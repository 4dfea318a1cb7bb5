/** `ciba trace`: where in the sources a function failed, by the frames of its log line. */
import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type TracedFrame, traceFrames } from '../deployment/trace-frames.ts';
import { examples } from './examples.ts';

interface TraceOptions {
  assembly: string;
}

export function traceCommand({ output }: CommandContext): Command {
  return new Command('trace')
    .description('turns frames of a log line (its member at) into places in the sources')
    .argument('<function>', 'the event of the line, or the name of the handler')
    .argument('<frame...>', 'such as index.mjs:12:3456')
    .option('--assembly <folder>', 'where cdk synth left the source maps', 'cdk.out')
    .addHelpText(
      'after',
      `
The source maps belong to the bundles of the last npx cdk synth or npx cdk deploy in this folder. They are not deployed. To trace a frame of
another version, check that version out and run npx cdk synth --quiet first.
${examples({
  'ciba trace token index.mjs:12:3456': 'the line and column of one frame',
  'ciba trace key_rotation index.mjs:9:87 index.mjs:9:65': 'of all that a line has',
})}`,
    )
    .action((name: string, frames: string[], { assembly }: TraceOptions) => {
      const traced = traceFrames(assembly, name, frames);
      output.json({ items: traced.map(frameJson), next: null });
      const width = Math.max(...traced.map(({ frame }) => frame.length));
      // In no table, which would wrap a long path: a place is to be copied whole.
      for (const one of traced) output.line(`${one.frame.padEnd(width)}  ${describePlace(one)}`);
    });
}

function frameJson({ frame, place }: TracedFrame) {
  return { frame, ...(place ?? { source: null, line: null, column: null }) };
}

function describePlace({ place }: TracedFrame): string {
  return place ? `${place.source}:${place.line}:${place.column}` : 'in code of the bundler';
}
