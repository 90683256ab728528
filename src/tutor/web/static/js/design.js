// The example dialog of the design system's page.
for (const button of document.querySelectorAll("[data-dialog-open]")) {
  const dialog = document.getElementById(button.dataset.dialogOpen);
  button.addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
