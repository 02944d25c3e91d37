// What is red, since it needs somebody.

/** Seconds that a ready job may wait. */
const tooOld = 300;

/** A job has waited too long. */
export const isTooOld = (seconds) => seconds !== undefined && seconds !== null && seconds >= tooOld;

/** A tube in which a job has waited too long, and nobody has stopped it on purpose. */
export const needsSomebody = (tube) => isTooOld(tube.oldest_ready_seconds) && !tube.pause_seconds_left;
