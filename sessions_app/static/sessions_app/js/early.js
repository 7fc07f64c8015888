// Runs before anything is painted: what the reader has chosen for the look of the page, as storage.js keeps it.
{
  const root = document.documentElement;
  /** @param {string} name */
  const read = (name) => {
    try {
      return localStorage.getItem(`hermes:${root.dataset.user}:${name}`);
    } catch {
      return null; // a browser that refuses storage
    }
  };
  const theme = read("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (read("sidebar")) root.dataset.sidebar = "folded";
}
