/**
 * Stands in for the cache of the AWS SDK's endpoint discovery in the bundles. DynamoDB's client
 * makes one and, discovery being off, asks it for nothing; the real one brings two libraries along.
 */
export class EndpointCache {
  readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }
}
