// Sends the page's form on by itself. Where no scripts run, its button does.

document.getElementById("message").submit();
