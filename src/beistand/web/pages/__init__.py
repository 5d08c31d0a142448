"""One module per entry of the menu: plain function views."""
