/** The style and the script of the demo's pages, as the browser gets them. */

export const script = `// Puts in place what the server says has changed. Without it the pages work too: by "Look again".
const events = new EventSource(document.body.dataset.events);
events.onmessage = ({ data }) => {
  for (const [id, html] of Object.entries(JSON.parse(data))) {
    const element = document.getElementById(id);
    if (element) element.innerHTML = html;
  }
  const headline = document.querySelector('.headline');
  if (headline) document.title = headline.textContent + ' – Fuel & Go, Pump 4';
  showTimeLeft();
};
addEventListener('pagehide', () => events.close());

function showTimeLeft() {
  const bar = document.querySelector('progress[data-ends]');
  if (!bar) return;
  bar.hidden = false;
  bar.value = Math.max(0, (bar.dataset.ends - Date.now()) / 1000);
}
setInterval(showTimeLeft, 500);

// The approval page in a window of a phone's size, beside this one.
addEventListener('click', (event) => {
  const link = event.target.closest('a[data-phone]');
  if (!link) return;
  event.preventDefault();
  const left = screenX + Math.max(0, outerWidth - 430);
  open(link.href, '_blank', 'popup,noopener,width=400,height=780,left=' + left + ',top=' + (screenY + 80));
});
`;

export const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#545f6b;--line:#d3d9df;--ground:#eef1ec;--card:#fff;--box:#f4f6f2;--brand:#14532d;--brand-ink:#fff;--accent:#14663a;--accent-ink:#fff;--good:#14663a;--bad:#a5281b;--display:#0c1510;--digits:#8cf0a8;--display-soft:#b7cbbd}
@media (prefers-color-scheme:dark){:root{--ink:#eef2ef;--soft:#abb7af;--line:#344038;--ground:#0d120f;--card:#171e1a;--box:#101613;--brand:#1c6a3c;--accent:#7fe0a0;--accent-ink:#06210f;--good:#7fe0a0;--bad:#ff9d92;--display:#050906}}
*{box-sizing:border-box}
body{margin:0;padding:1.25rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main.alone{max-width:26rem;margin:3vh auto}
main.story{max-width:62rem;margin:0 auto;display:grid;gap:1.5rem 3rem}
@media (min-width:56rem){main.story{grid-template-columns:1fr 1fr}header,footer{grid-column:1/-1}}
.side{min-width:0}
h1{margin:0;font-size:1.7rem;line-height:1.2}
h2{display:flex;align-items:center;gap:.6rem;margin:0;font-size:1.2rem}
header p{margin:.5rem 0 0;max-width:44rem;color:var(--soft)}
.number{display:grid;place-items:center;width:1.9rem;height:1.9rem;border-radius:50%;background:var(--brand);color:var(--brand-ink);font-size:1rem}
.caption{margin:.4rem 0 .9rem;color:var(--soft)}
footer,.about{color:var(--soft);font-size:.9rem}
.about{margin:1.25rem .5rem;text-align:center}
a{color:var(--accent)}
.pump{background:var(--card);border:1px solid var(--line);border-radius:1.25rem;padding:0 1.25rem 1.25rem;overflow:hidden;box-shadow:0 10px 30px rgb(0 0 0/.08)}
.brand{display:flex;justify-content:space-between;align-items:center;gap:.5rem;margin:0 -1.25rem 1.25rem;padding:.9rem 1.25rem;background:var(--brand);color:var(--brand-ink);font-size:1.2rem;line-height:1.3}
.badge{padding:.1rem .7rem;border:1px solid currentColor;border-radius:1rem;font-size:.9rem}
fieldset{margin:0;padding:0;border:0;min-width:0}
legend,.user{padding:0;margin:0 0 .5rem;font-weight:600;display:block}
.amounts{display:grid;grid-template-columns:1fr 1fr;gap:.6rem}
.amount{position:relative;display:block;cursor:pointer}
.amount input{position:absolute;inset:0;width:100%;height:100%;margin:0;opacity:0;cursor:pointer}
.amount span{display:block;padding:.7rem;text-align:center;font-size:1.15rem;font-variant-numeric:tabular-nums;border:2px solid var(--line);border-radius:.75rem;background:var(--box)}
.amount input:checked+span{border-color:var(--accent);background:var(--accent);color:var(--accent-ink);font-weight:600}
.amount input:focus-visible+span{outline:3px solid var(--ink);outline-offset:2px}
.user{margin-top:1.25rem}
#user{width:100%;padding:.7rem .8rem;font:inherit;font-size:1.1rem;color:inherit;background:var(--box);border:2px solid var(--soft);border-radius:.75rem}
.code{display:flex;gap:.6rem;align-items:center;margin-top:1.1rem;font-weight:600;cursor:pointer}
.code input{flex:none;width:1.4rem;height:1.4rem;margin:0;accent-color:var(--accent)}
.hint{margin:.4rem 0;color:var(--soft);font-size:.9rem;overflow-wrap:anywhere}
button,.button{display:block;width:100%;min-height:3.25rem;margin-top:1rem;padding:.8rem 1rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;color:var(--accent-ink);background:var(--accent);border:2px solid var(--accent);border-radius:.75rem;cursor:pointer}
.button.quiet{color:var(--accent);background:none}
:is(button,a,summary,#user,.code input,pre,iframe):focus-visible{outline:3px solid var(--ink);outline-offset:2px}
.mistake{margin:0 0 1rem;padding:.7rem .9rem;border:2px solid var(--bad);border-radius:.75rem;color:var(--bad)}
.display{margin:0 0 1.1rem;padding:1rem 1.1rem;background:var(--display);color:var(--display-soft);border-radius:.9rem;line-height:1.3}
.digits{font:600 min(2.6rem,13vw)/1.1 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--digits)}
.label{display:block;margin-top:.6rem;font-size:.85rem}
.message{display:block;font-size:1.25rem;color:#fff;overflow-wrap:anywhere}
.typed{font:600 1.9rem/1.3 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;letter-spacing:.08em}
.headline{margin:0;font-size:1.5rem;font-weight:700;line-height:1.25;overflow-wrap:anywhere}
.headline+p{margin:.25rem 0 0}
.headline.approved{color:var(--good)}
:is(.headline.denied,.headline.expired,.headline.failed){color:var(--bad)}
.steps{list-style:none;margin:1.1rem 0;padding:0}
.steps li{position:relative;padding:.25rem 0 .25rem 2rem;color:var(--soft);overflow-wrap:anywhere}
.steps li::before{content:"";position:absolute;left:.25rem;top:.5rem;width:1rem;height:1rem;border:2px solid var(--soft);border-radius:50%}
.steps .done{color:var(--ink)}
.steps .done::before{content:"\\2713";display:grid;place-items:center;border-color:var(--good);background:var(--good);color:var(--card);font-size:.75rem;font-weight:700;line-height:1}
.steps .now{color:var(--ink);font-weight:600}
.steps .now::before{border-color:var(--accent);border-top-color:transparent;animation:turn 1s linear infinite}
@keyframes turn{to{transform:rotate(1turn)}}
@media (prefers-reduced-motion:reduce){.steps .now::before{animation:none;border-top-color:var(--accent)}}
.spoken{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
progress{width:100%;height:.5rem;accent-color:var(--accent)}
progress[hidden]{display:none}
.received{margin:1rem 0 0;font-weight:600}
dl{margin:.4rem 0 1rem;display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
summary{cursor:pointer}
pre{margin:.5rem 0 0;padding:.75rem;background:var(--box);border:1px solid var(--line);border-radius:.6rem;overflow:auto;font-size:.8rem}
.phone{max-width:25rem;margin:0 auto;padding:.8rem;background:#11161a;border:1px solid #49535c;border-radius:2.4rem;box-shadow:0 10px 30px rgb(0 0 0/.15)}
.screen{display:flex;flex-direction:column;min-height:36rem;padding:1.1rem .9rem;background:var(--card);border-radius:1.7rem;overflow:hidden}
.screen::before{content:"";align-self:center;width:5rem;height:.35rem;margin-bottom:.9rem;border-radius:1rem;background:var(--line)}
#phone{display:contents}
.envelope{margin:0 0 .6rem;overflow-wrap:anywhere}
.envelope span{display:block;color:var(--soft);font-size:.85rem}
.empty{margin:auto;text-align:center;color:var(--soft)}
.screen iframe{flex:1;width:100%;min-height:26rem;border:1px solid var(--line);border-radius:.75rem;background:#fff}
@media (prefers-color-scheme:dark){.screen iframe{background:#14171c}}
`;
