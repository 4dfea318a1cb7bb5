/**
 * The page at the issuer itself, for client developers: what this is, where discovery is, and
 * requests to copy. It is made of the issuer and the paths alone, so that it tells nothing about
 * clients or users.
 */
import { authenticationContext } from '../ciba/client/confirmation-level.ts';
import { escapeHtml, noDetection } from '../ciba/words/html.ts';
import { routes } from '../routes.ts';
import { contentSecurityPolicy } from './content-security-policy.ts';

const style = `
:root{color-scheme:light dark;--ink:#17212b;--soft:#51606f;--line:#d5dce3;--ground:#eef1f4;--card:#fff;--accent:#0b57d0;--box:#f3f6fa}
@media (prefers-color-scheme:dark){:root{--ink:#eef2f6;--soft:#a9b6c3;--line:#33404d;--ground:#0f151b;--card:#18212a;--accent:#8ab4ff;--box:#101820}}
*{box-sizing:border-box}
body{margin:0;padding:min(1.25rem,4vw);background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:48rem;margin:2vh auto;padding:1.75rem min(1.5rem,5vw);background:var(--card);border:1px solid var(--line);border-radius:1rem}
h1{margin:0 0 .75rem;font-size:1.6rem;line-height:1.25;overflow-wrap:anywhere}
h2{margin:2rem 0 .5rem;font-size:1.15rem}
p,ul{margin:.75rem 0}
ul{padding-left:1.25rem}
li{margin:.3rem 0}
a{color:var(--accent);overflow-wrap:anywhere}
a:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
code{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{margin:.75rem 0;padding:.9rem 1rem;background:var(--box);border:1px solid var(--line);border-radius:.75rem;white-space:pre-wrap}
dl{margin:1rem 0}
dl div{display:flex;flex-wrap:wrap;gap:0 1rem;padding:.4rem 0;border-bottom:1px solid var(--line)}
dt{flex:1 1 12rem}
dd{flex:2 1 18rem;margin:0}
.soft{color:var(--soft)}
`;

export const developerPagePolicy = contentSecurityPolicy(style);

/** The page of this issuer, in HTML. */
export function developerPage(issuer: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${noDetection}
<title>OpenID Provider for CIBA</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>OpenID Provider for CIBA</h1>
<p>Your program names a user and asks for an approval. The user gets a mail, sees who asks and for what, and decides on a phone.
Your program polls, and gets an ID Token and an access token: ${link('https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html', 'Client-Initiated Backchannel Authentication')}, in poll mode.</p>
<p class="soft">Were you sent here by a mail? Open the link exactly as it stands in the mail. There is nothing to approve on this page.</p>

<h2>Configure your client</h2>
<p>A client library needs one address, the issuer, and finds the rest in discovery.</p>
<ul>
<li>Issuer: <code>${escapeHtml(issuer)}</code></li>
<li>Discovery: ${linkTo(issuer + routes.openidConfiguration)}</li>
<li>Public keys: ${linkTo(issuer + routes.jwks)}</li>
</ul>
<p>The operator of this provider registers your client, and gives you its id and its secret.</p>

<h2>1. Ask</h2>
${copyable(`CLIENT_ID=… CLIENT_SECRET=…

curl ${issuer}${routes.backchannelAuthentication} \\
  -u "$CLIENT_ID:$CLIENT_SECRET" \\
  -d 'scope=openid profile email' \\
  -d login_hint=USERNAME \\
  --data-urlencode 'binding_message=52.30 EUR at pump 4'`)}
<p>Show the same binding message on your device: the user compares. Or have it typed, as a code that the mail does not show: send a short
one, <code>K7P-X4T</code> for instance, and <code>acr_values=${escapeHtml(authenticationContext(issuer, 'code'))}</code>. The answer has an <code>auth_req_id</code>, and says how many seconds
the request lives (<code>expires_in</code>) and how many to wait between two polls (<code>interval</code>).</p>

<h2>2. Poll</h2>
${copyable(`AUTH_REQ_ID=…

curl ${issuer}${routes.token} \\
  -u "$CLIENT_ID:$CLIENT_SECRET" \\
  -d grant_type=urn:openid:params:grant-type:ciba \\
  -d "auth_req_id=$AUTH_REQ_ID"`)}
<p>What a poll is answered:</p>
<dl>
<div><dt><code>authorization_pending</code></dt><dd>Poll again after the seconds of <code>Retry-After</code>.</dd></div>
<div><dt><code>slow_down</code></dt><dd>The same, and from now on wait five seconds more between two polls.</dd></div>
<div><dt><code>id_token</code>, <code>access_token</code></dt><dd>Approved. Verify the ID Token: it says who approved. The tokens come once.</dd></div>
<div><dt><code>access_denied</code></dt><dd>The user said no.</dd></div>
<div><dt><code>expired_token</code></dt><dd>Nobody decided in time. Ask again, if it is still wanted.</dd></div>
</dl>
<p>Every error ends in a correlation id: give it to the operator when you ask what happened.</p>
</main>
</body>
</html>
`;
}

function copyable(commands: string): string {
  return `<pre><code>${escapeHtml(commands)}</code></pre>`;
}

function linkTo(url: string): string {
  return link(url, url);
}

function link(url: string, text: string): string {
  return `<a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`;
}
