/**
 * The icon that browsers ask for at `/favicon.ico` beside every page: a tick, as a PNG of 32 × 32
 * pixels.
 */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgAgMAAAAOFJJnAAAACVBMVEUAAAAfX7////+OD3lKAAAAAXRSTlMAQObYZgAAAGdJREFUeNp10M0NgDAIBWAujuBeHmwPjNB9dIMe+qYUyo8xjZy+kEdaINqK1EFEZRZZQ1uJ3XC+KF5/qN3BgZa4HHBU+BQPhYxKVjEC0KxmcMOeaBgGRjfUwMxOtO/H1i3WTfMIcZYH8UZX+dOww7YAAAAASUVORK5CYII=';

/** The octets of the image. */
export const siteIcon = Uint8Array.from(Buffer.from(png, 'base64'));
