"use strict";
// Everything is put on the page as text, never as markup: descriptions and answers cannot run anything.

const byId = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function parametersOf(operation, path) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
  const described = operation.parameters ?? [];
  const known = new Set(described.map((each) => each.name));
  const missing = inPath.filter((name) => !known.has(name));
  return [...missing.map((name) => ({ name, in: "path", required: true })), ...described];
}

function table(titles, rows) {
  const head = element("tr", {}, ...titles.map((title) => element("th", { textContent: title })));
  const lines = rows.map((row) => element("tr", {}, ...row.map((text) => element("td", { textContent: text }))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...lines));
}

function addressOf(path, parameters, inputs) {
  let address = path;
  const query = new URLSearchParams();
  for (const parameter of parameters) {
    const value = inputs.get(parameter.name).value;
    if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === "query" && value) query.set(parameter.name, value);
  }
  const text = query.toString();
  return text ? `${address}?${text}` : address;
}

async function tryIt(method, address, body, output) {
  output.textContent = "…";
  const headers = { Accept: "application/json" };
  const token = byId("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== null) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(address, { method, headers, body, credentials: "omit" });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it came */ }
    output.textContent = `${answer.status} ${answer.statusText}\n\n${shown.slice(0, 100000)}`;
  } catch (error) {
    output.textContent = `No answer: ${error.message}`;
  }
}

function form(path, method, operation) {
  const parameters = parametersOf(operation, path);
  const inputs = new Map(parameters.map((each) => [each.name, element("input", { autocomplete: "off" })]));
  const made = element("form");
  for (const parameter of parameters) {
    const label = `${parameter.name}${parameter.required ? " *" : ""} `;
    made.append(element("p", {}, element("label", {}, label, inputs.get(parameter.name))));
  }
  const json = operation.requestBody?.content?.["application/json"];
  const body = json ? element("textarea", { value: JSON.stringify(json.example ?? {}, null, 2) }) : null;
  if (body) {
    body.setAttribute("aria-label", "Body");
    made.append(body);
  }
  const output = element("pre", { hidden: true });
  const onlyUpload = operation.requestBody && !json;
  if (onlyUpload) {
    made.append(element("p", { textContent: "This one takes a file: try it with curl or `outdial sounds upload`." }));
    return made;
  }
  made.append(element("p", {}, element("button", { textContent: `Send ${method.toUpperCase()}` })), output);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    output.hidden = false;
    tryIt(method.toUpperCase(), addressOf(path, parameters, inputs), body ? body.value : null, output);
  });
  return made;
}

function endpoint(path, method, operation) {
  const scope = operation.security?.[0]?.bearer?.[0];
  const title = element("summary", {},
    element("span", { className: "method", textContent: method.toUpperCase() }), path,
    element("span", { className: "scope", textContent: scope ? `scope ${scope}` : "" }));
  const made = element("details", {}, title);
  made.dataset.words = `${method} ${path} ${operation.summary}`.toLowerCase();
  made.addEventListener("toggle", () => {
    if (made.dataset.filled) return;
    made.dataset.filled = "yes";
    made.append(element("p", { textContent: operation.description ?? operation.summary }));
    const schema = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
    const needed = new Set(schema?.required ?? []);
    const rows = [
      ...parametersOf(operation, path).map((each) => [each.name, each.in, each.required ? "yes" : "", each.description ?? ""]),
      ...Object.entries(schema?.properties ?? {}).map(([name, each]) => [name, "body", needed.has(name) ? "yes" : "", each.description ?? ""]),
    ];
    if (rows.length) made.append(table(["parameter", "where", "required", "meaning"], rows));
    made.append(table(["answer", "meaning"], Object.entries(operation.responses).map(([status, each]) => [status, each.description])));
    const example = operation.responses["200"]?.content?.["application/json"]?.example;
    if (example) made.append(element("pre", { textContent: JSON.stringify(example, null, 2) }));
    made.append(form(path, method, operation));
  });
  return made;
}

async function show() {
  const place = byId("endpoints");
  try {
    const description = await (await fetch("/api/v1/openapi.json")).json();
    const all = Object.entries(description.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => endpoint(path, method, operation)));
    place.replaceChildren(...all);
    byId("find").addEventListener("input", (event) => {
      const wanted = event.target.value.trim().toLowerCase();
      for (const each of all) each.hidden = !each.dataset.words.includes(wanted);
    });
  } catch (error) {
    place.replaceChildren(element("p", { textContent: `The description cannot be read: ${error.message}` }));
  }
}

show();
