// A real OpenID provider on loopback, and how a test holds it: `node provider.mjs '{"port": …, "redirects": […]}'`.
//
// Whoever logs in is who they say, without a password. POST /test sets what is told of them and what goes wrong:
// {"claims": {LOGIN: {…}}, "twist": NAME, "clock": SECONDS}.

import { createServer } from "node:http";
import Provider from "oidc-provider";

const { port, redirects } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const held = { claims: {}, twist: "", clock: 0 };
let lastToken = "";

const now = Date.now;
Date.now = () => now() + held.clock * 1000;

const provider = new Provider(issuer, {
  clients: [
    { client_id: "hermes", client_secret: "a secret of the client", redirect_uris: redirects, grant_types: ["authorization_code"] },
  ],
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username", "given_name", "family_name"],
    email: ["email", "email_verified"],
    groups: ["groups", "realm_access"],
  },
  cookies: { keys: ["tests only"] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...held.claims[sub] }) }),
});

/** What goes wrong, by name: each changes an answer of the provider's own. */
const TWISTS = {
  "bad signature": (path, body) => path === "/token" && (body.id_token = `${body.id_token.slice(0, -6)}AAAAAA`),
  "replayed token": (path, body) => path === "/token" && ([body.id_token, lastToken] = [lastToken, body.id_token]),
  "no signature": (path, body) => {
    if (path !== "/token") return;
    const head = Buffer.from('{"alg":"none"}').toString("base64url");
    body.id_token = `${head}.${body.id_token.split(".")[1]}.`;
  },
  "no ID token": (path, body) => path === "/token" && delete body.id_token,
  "other issuer": (path, body) => path.startsWith("/.well-known") && (body.issuer = "https://elsewhere.example"),
  "strange address": (path, body) => path.startsWith("/.well-known") && (body.token_endpoint = "file:///etc/passwd"),
  "odd host": (path, body) => path.startsWith("/.well-known") && (body.token_endpoint = "http://a..b/token"),
  "odd token": (path, body) => path === "/token" && (body.access_token = "żółw"),
  "somebody else": (path, body) => path === "/me" && (body.sub = "somebody-else"),
  "no keys": (path, body) => path === "/jwks" && (body.keys = 7),
  large: (path, body) => path === "/me" && (body.groups = Array(300_000).fill("a large one")),
};
const ANSWERS = { nonsense: "<p>We are away</p>", list: "[1, 2]", error: '{"error": "server_error"}' };

provider.use(async (ctx, next) => {
  if (held.twist === "leads on" && ctx.path === "/token" && !ctx.query.again) {
    ctx.status = 307;
    ctx.set("location", `${issuer}/token?again=1`);
    return;
  }
  await next();
  if (ctx.path === "/token" && ctx.body?.id_token && held.twist !== "replayed token") lastToken = ctx.body.id_token;
  const [place, answer] = held.twist.split(": ");
  if (answer && ctx.path.startsWith(place)) {
    ctx.status = answer === "error" ? 500 : 200;
    ctx.body = ANSWERS[answer];
  } else if (ctx.body && typeof ctx.body === "object") TWISTS[held.twist]?.(ctx.path, ctx.body);
});

const answer = provider.callback();
createServer(async (request, response) => {
  if (request.url !== "/test") return answer(request, response);
  let body = "";
  for await (const piece of request) body += piece;
  Object.assign(held, { claims: {}, twist: "", clock: 0 }, JSON.parse(body));
  response.end();
}).listen(port, "127.0.0.1", () => console.log(`OpenID provider at ${issuer}`));
