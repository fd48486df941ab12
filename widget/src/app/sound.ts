// A short, soft sound for a message from the agent. Browsers allow sound only after the visitor
// touched the page; before that nothing happens.

/** Plays it once. */
export function chime(): void {
  const Context = window.AudioContext;
  if (Context === undefined || navigator.userActivation?.hasBeenActive === false) return;
  const audio = new Context();
  const gain = audio.createGain();
  gain.connect(audio.destination);
  gain.gain.setValueAtTime(0.08, audio.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.35);
  const tone = audio.createOscillator();
  tone.frequency.setValueAtTime(660, audio.currentTime);
  tone.frequency.setValueAtTime(880, audio.currentTime + 0.1);
  tone.connect(gain);
  tone.onended = () => void audio.close();
  tone.start();
  tone.stop(audio.currentTime + 0.36);
}
