/**
 * The events of the local host are those that API Gateway sends, member for member (payload format
 * 2.0).
 */
import { describe, expect, test } from 'vitest';
import {
  type MatchedRoute,
  makeHttpApiEvent,
  type ReceivedRequest,
} from '../../../../lib/local/services/http-api-event.ts';

const api = { id: 'a1b2c3d4e5', scheme: 'http', domainName: 'localhost', port: 4010 } as const;
const tokenRoute = { key: 'ANY /token', parameters: {} };

function make(received: Partial<ReceivedRequest>, route: MatchedRoute = tokenRoute) {
  const request = {
    method: 'GET',
    target: '/token',
    headers: [],
    body: Buffer.alloc(0),
    sourceIp: '127.0.0.1',
    requestId: 'JKJaXmPLvHcESHA=',
    receivedAt: new Date('2026-08-07T01:37:53.815Z'),
    ...received,
  } satisfies ReceivedRequest;
  return makeHttpApiEvent(request, route, api);
}

describe('makeHttpApiEvent', () => {
  test('makes the event that AWS records for a form sent by curl', () => {
    const event = make({
      method: 'POST',
      headers: [
        ['Host', 'localhost:4010'],
        ['Authorization', 'Basic cHVtcC00OnNlY3JldA=='],
        ['User-Agent', 'curl/8.2.1'],
        ['Accept', '*/*'],
        ['Connection', 'keep-alive'],
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ['Content-Length', '11'],
      ],
      body: Buffer.from('grant_type=x'),
    });
    expect(event).toEqual({
      version: '2.0',
      routeKey: 'ANY /token',
      rawPath: '/token',
      rawQueryString: '',
      headers: {
        accept: '*/*',
        authorization: 'Basic cHVtcC00OnNlY3JldA==',
        'content-length': '12',
        'content-type': 'application/x-www-form-urlencoded',
        host: 'localhost:4010',
        'user-agent': 'curl/8.2.1',
        'x-amzn-trace-id': expect.stringMatching(/^Root=1-6a7536f1-[0-9a-f]{24}$/),
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': '4010',
        'x-forwarded-proto': 'http',
      },
      requestContext: {
        accountId: '000000000000',
        apiId: 'a1b2c3d4e5',
        domainName: 'localhost',
        domainPrefix: 'localhost',
        http: {
          method: 'POST',
          path: '/token',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'curl/8.2.1',
        },
        requestId: 'JKJaXmPLvHcESHA=',
        routeKey: 'ANY /token',
        stage: '$default',
        time: '07/Aug/2026:01:37:53 +0000',
        timeEpoch: 1786066673815,
      },
      body: 'Z3JhbnRfdHlwZT14',
      isBase64Encoded: true,
    });
  });

  test('makes the event that AWS records for a page with query, cookies and path parameter', () => {
    const event = make(
      {
        target: '/approve/a%2Fb?x=1&y=%C3%BC+z&x=2',
        headers: [
          ['Cookie', 'first=1; second=2'],
          ['cookie', 'third=3'],
          ['Accept-Language', 'de'],
          ['accept-language', 'en'],
          ['X-Forwarded-For', '192.0.2.1'],
        ],
      },
      { key: 'ANY /approve/{link}', parameters: { link: 'a/b' } },
    );
    expect(event).toMatchObject({
      routeKey: 'ANY /approve/{link}',
      rawPath: '/approve/a%2Fb',
      rawQueryString: 'x=1&y=%C3%BC+z&x=2',
      cookies: ['first=1', 'second=2', 'third=3'],
      headers: { 'accept-language': 'de,en', 'x-forwarded-for': '192.0.2.1, 127.0.0.1' },
      queryStringParameters: { x: '1,2', y: 'ü z' },
      pathParameters: { link: 'a/b' },
      isBase64Encoded: false,
    });
    expect(event).not.toHaveProperty('headers.cookie');
    expect(event).not.toHaveProperty('body');
  });

  test.each([
    ['application/json', false],
    ['application/json; charset=utf-8', false],
    ['TEXT/Plain', false],
    ['application/xml', false],
    ['application/javascript', false],
    ['application/x-www-form-urlencoded;charset=UTF-8', true],
    ['multipart/form-data; boundary=x', true],
    ['application/jwt', true],
    ['application/vnd.api+json', true],
    [undefined, true],
  ])('sends a body of type %s with isBase64Encoded %s', (type, isBase64Encoded) => {
    const headers = type === undefined ? [] : [['Content-Type', type] as [string, string]];
    const body = isBase64Encoded ? 'w7w=' : 'ü';
    expect(make({ method: 'POST', headers, body: Buffer.from('ü') })).toMatchObject({
      body,
      isBase64Encoded,
    });
  });

  test('takes any name for a name', () => {
    const event = make({
      target: '/token?constructor=1&__proto__=2',
      headers: [
        ['toString', 'a'],
        ['__proto__', 'b'],
      ],
    });
    const { headers, queryStringParameters } = JSON.parse(JSON.stringify(event));
    expect(Object.entries(queryStringParameters)).toEqual([
      ['constructor', '1'],
      ['__proto__', '2'],
    ]);
    expect(Object.entries(headers)).toContainEqual(['tostring', 'a']);
    expect(Object.entries(headers)).toContainEqual(['__proto__', 'b']);
  });

  test('leaves out what an empty request has none of', () => {
    const event = make({});
    for (const member of ['body', 'cookies', 'pathParameters', 'queryStringParameters']) {
      expect(event).not.toHaveProperty(member);
    }
    expect(event).toHaveProperty('requestContext.http.userAgent', '');
  });
});
