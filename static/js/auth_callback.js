// Supabase Auth gives its token behind the "#", which no server sees: hand it over and go on.
(async () => {
  const card = document.querySelector("[data-auth-callback]");
  const token = new URLSearchParams(location.hash.slice(1)).get("access_token");
  history.replaceState(null, "", location.pathname); // out of the history and of what is copied from the address bar
  const answer =
    token &&
    (await fetch(card.dataset.session, {
      method: "POST",
      body: new URLSearchParams({ access_token: token }),
    }).catch(() => null));
  if (answer && answer.ok) {
    location.replace(card.dataset.target);
    return;
  }
  card.querySelector("[data-waiting]").hidden = true;
  card.querySelector("[data-failed]").hidden = false;
})();
