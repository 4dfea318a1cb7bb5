/**
 * Stands in for the AWS SDK's chain of credential providers in the bundles. In Lambda credentials
 * come from the environment, read anew for each resolution; the chain's other links are a third of
 * every bundle and never used there.
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
