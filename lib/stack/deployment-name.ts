/**
 * The first part of the names that AWS and people find a provider's API, logs and mail templates
 * by: unique in an account and region, and short, since SES's names are.
 */
import { Names, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { DEPLOYMENT_NAME_LENGTH } from '../notification-templates/compile.ts';
import { DEPLOYMENT_NAME_RULE, deploymentNamePattern, SettingsRefused } from './settings.ts';

/** Which provider has which name, by the app that both are in. */
const namesOfApp = new WeakMap<IConstruct, Map<string, IConstruct>>();

/**
 * The name that was given, whole, or one made of the ids of the construct and those above it with a
 * hash: never two alike. The latter stays as it is, cut in the middle where it is long: a
 * deployment that lost its name would lose its logs with it.
 * @throws SettingsRefused for what is no name, and for one that another provider of the app has in
 * the same account and region
 */
export function nameDeployment(scope: IConstruct, given: string | undefined): string {
  if (given === undefined) {
    return Names.uniqueResourceName(scope, {
      maxLength: DEPLOYMENT_NAME_LENGTH,
      separator: '-',
      allowedSpecialCharacters: '-',
    });
  }
  if (!deploymentNamePattern.test(given)) {
    throw new SettingsRefused([
      `Setting name must be ${DEPLOYMENT_NAME_RULE}; it is ${JSON.stringify(given)}.`,
    ]);
  }
  claimName(scope, given);
  return given;
}

function claimName(scope: IConstruct, name: string): void {
  const { account, region } = Stack.of(scope);
  const taken = namesOfApp.get(scope.node.root) ?? new Map<string, IConstruct>();
  namesOfApp.set(scope.node.root, taken);
  const place = [account, region, name].join();
  const other = taken.get(place);
  if (other !== undefined) {
    throw new SettingsRefused([
      `Setting name must be another than that of ${other.node.path}; it is ${JSON.stringify(name)}.`,
    ]);
  }
  taken.set(place, scope);
}
