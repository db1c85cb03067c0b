package io.pq32.lucene;

import java.util.Arrays;

/** Which ordinals may a search return? */
sealed interface AcceptedOrds {
  /** How many there are. */
  int count();

  boolean contains(int ord);

  /** Goes through them once. */
  Cursor cursor();

  /** Those of some ordinals that are accepted. */
  default int[] among(int[] ords) {
    return ords.length == 0 ? ords : Arrays.stream(ords).filter(this::contains).toArray();
  }

  /** Tells accepted ordinals in ascending order. */
  @FunctionalInterface
  interface Cursor {
    /**
     * The next ones.
     *
     * @param ords takes them
     * @return how many: all there is room for, or all that are left
     */
    int next(int[] ords);
  }

  /**
   * All ordinals.
   *
   * @param count of the vectors
   */
  record All(int count) implements AcceptedOrds {
    @Override
    public boolean contains(int ord) {
      return true;
    }

    @Override
    public Cursor cursor() {
      return new Cursor() {
        private int next;

        @Override
        public int next(int[] ords) {
          int filled = Math.min(ords.length, count - next);
          for (int i = 0; i < filled; i++) {
            ords[i] = next++;
          }
          return filled;
        }
      };
    }
  }

  /**
   * Many of them.
   *
   * @param words one bit per ordinal
   * @param count of the bits that are set
   */
  record Many(long[] words, int count) implements AcceptedOrds {
    @Override
    public boolean contains(int ord) {
      return (words[ord >>> 6] >>> ord & 1) != 0;
    }

    @Override
    public Cursor cursor() {
      return new Cursor() {
        private int left = count; // ends the search for bits behind the last one
        private int word = -1;
        private long bits; // of the word that are left

        @Override
        public int next(int[] ords) {
          int end = Math.min(ords.length, left);
          left -= end;
          // A loop per word ends unforeseen once per word, not once per ordinal.
          for (int filled = 0; filled < end; ) {
            while (bits == 0) {
              bits = words[++word];
            }
            int base = word << 6;
            for (int same = Math.min(end - filled, Long.bitCount(bits)); same > 0; same--) {
              ords[filled++] = base + Long.numberOfTrailingZeros(bits);
              bits &= bits - 1;
            }
          }
          return end;
        }
      };
    }
  }

  /**
   * So few that a list of them is shorter than bits for all ordinals, and sooner gone through.
   *
   * @param ords ascending
   */
  record Few(int[] ords) implements AcceptedOrds {
    @Override
    public int count() {
      return ords.length;
    }

    @Override
    public boolean contains(int ord) {
      return Arrays.binarySearch(ords, ord) >= 0;
    }

    @Override
    public Cursor cursor() {
      return new Cursor() {
        private int next;

        @Override
        public int next(int[] out) {
          int filled = Math.min(out.length, ords.length - next);
          System.arraycopy(ords, next, out, 0, filled);
          next += filled;
          return filled;
        }
      };
    }
  }
}
