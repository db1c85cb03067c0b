package io.pq32.lucene;

import java.util.BitSet;

/** Which of the candidates found have not been returned before? */
final class Unreturned {
  private Candidates first = Candidates.NONE; // of which most searches need no set
  private BitSet returned; // null before the second list
  private int count;

  /** Candidates returned so far. */
  int count() {
    return count;
  }

  /** Takes a list, and returns what is new in it. */
  Candidates of(Candidates found) {
    Candidates fresh = count == 0 ? (first = found) : without(found);
    count += fresh.count();
    return fresh;
  }

  private Candidates without(Candidates found) {
    if (returned == null) {
      returned = new BitSet();
      for (int ord : first.ords()) {
        returned.set(ord);
      }
    }
    int[] ords = new int[found.count()];
    short[] sums = new short[ords.length];
    int fresh = 0;
    for (int i = 0; i < ords.length; i++) {
      int ord = found.ords()[i];
      if (!returned.get(ord)) {
        returned.set(ord);
        ords[fresh] = ord;
        sums[fresh++] = found.sums()[i];
      }
    }
    return new Candidates(ords, sums).first(fresh);
  }
}
