/** The look of the documentation page: readable in light and dark, on small screens, and without anything loaded. */
export const DOCS_STYLE = `:root{color-scheme:light dark;--ink:#14181f;--quiet:#4a5362;--paper:#fff;--ground:#f3f5f8;--line:#cfd6e0;--accent:#0b4fb3}
@media (prefers-color-scheme:dark){:root{--ink:#f2f4f8;--quiet:#bcc5d3;--paper:#171b22;--ground:#0d1015;--line:#39424f;--accent:#8ab8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
header,nav,main{max-width:64rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem}
h2{margin:3rem 0 .5rem;font-size:1.4rem;text-transform:capitalize}
h3{margin:0;font-size:1rem;font-weight:600;overflow-wrap:anywhere}
a{color:var(--accent)}
nav ul{display:flex;flex-wrap:wrap;gap:.4rem 1.1rem;list-style:none;padding:0;margin:1rem 0}
section{background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:1rem 1.25rem;margin:1rem 0;overflow-x:auto}
.method{display:inline-block;min-width:4.2rem;color:var(--accent)}
.needs{color:var(--quiet)}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{overflow-x:auto;padding:.75rem;border:1px solid var(--line);border-radius:.35rem;background:var(--ground)}
table{border-collapse:collapse;width:100%;margin:1rem 0 0}
caption{text-align:left;font-weight:600;padding-bottom:.25rem}
th,td{text-align:left;vertical-align:top;padding:.3rem 1rem .3rem 0;border-top:1px solid var(--line);font-weight:400}
thead th{color:var(--quiet);border-top:0;font-size:.9em}
details{margin-top:.75rem}summary{cursor:pointer;color:var(--quiet)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-999rem}.skip:focus{position:static}`;
