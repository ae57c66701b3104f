// Shows the schema with Swagger UI: in the theme of the portal, asking the portal under the address it is read at, with
// the reader's session if there is one.
(function () {
  "use strict";
  const root = document.documentElement;
  const place = document.getElementById("swagger-ui");

  function followTheme() {
    root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark");
  }

  function withCsrfToken(request) {
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    if (token && request.method && request.method !== "GET") request.headers["X-CSRFToken"] = token[1];
    return request;
  }

  followTheme();
  new MutationObserver(followTheme).observe(root, { attributeFilter: ["data-bs-theme"] });

  fetch(place.dataset.schema)
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`${answer.status} ${answer.statusText}`))))
    .then((schema) => {
      schema.servers = [{ url: window.location.origin }];
      window.SwaggerUIBundle({
        spec: schema,
        dom_id: "#swagger-ui",
        presets: [window.SwaggerUIBundle.presets.apis],
        layout: "BaseLayout",
        deepLinking: true,
        docExpansion: "none",
        filter: true,
        persistAuthorization: false, // a key stays in the page
        requestInterceptor: withCsrfToken,
        validatorUrl: null,
      });
    })
    .catch((error) => {
      place.textContent = `The schema could not be loaded: ${error.message}`;
    });
})();
