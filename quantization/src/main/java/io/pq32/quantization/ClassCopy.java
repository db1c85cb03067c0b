package io.pq32.quantization;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;

/**
 * The same class once more, with constants of its own and compiled on its own. The compiler knows a
 * vector's species only as a class constant, and a memory segment's implementation only from what a
 * class has met: one class for two of either runs two to ten times slower than two classes.
 */
final class ClassCopy {
  private ClassCopy() {}

  /**
   * An instance of a copy of {@code original}, a class of this package with a constructor without
   * parameters. It is no {@code original}, but extends what that extends.
   *
   * @param data what {@link #data} tells the copy
   */
  static Object of(Class<?> original, Object data) {
    try (var bytes = original.getResourceAsStream(original.getSimpleName() + ".class")) {
      return MethodHandles.lookup()
          .defineHiddenClassWithClassData(bytes.readAllBytes(), data, true)
          .lookupClass()
          .getDeclaredConstructor()
          .newInstance();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("cannot copy " + original.getName(), e);
    }
  }

  /** What a copy was given, {@code otherwise} for the original; {@code lookup} is its own. */
  static <T> T data(MethodHandles.Lookup lookup, T otherwise) {
    try {
      Object data = MethodHandles.classData(lookup, ConstantDescs.DEFAULT_NAME, Object.class);
      @SuppressWarnings("unchecked")
      T typed = data == null ? otherwise : (T) data;
      return typed;
    } catch (IllegalAccessException e) {
      throw new LinkageError("a class may read its own data", e);
    }
  }
}
