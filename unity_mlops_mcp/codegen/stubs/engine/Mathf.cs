// UnityEngine.Mathf: single-precision mathematics.
using System;

namespace UnityEngine
{
    public struct Mathf
    {
        public const float PI = (float)Math.PI;
        public const float Infinity = float.PositiveInfinity;
        public const float NegativeInfinity = float.NegativeInfinity;
        public const float Deg2Rad = PI / 180f;
        public const float Rad2Deg = 180f / PI;
        public static readonly float Epsilon = float.Epsilon;

        public static float Sin(float f) => (float)Math.Sin(f);
        public static float Cos(float f) => (float)Math.Cos(f);
        public static float Tan(float f) => (float)Math.Tan(f);
        public static float Asin(float f) => (float)Math.Asin(f);
        public static float Acos(float f) => (float)Math.Acos(f);
        public static float Atan(float f) => (float)Math.Atan(f);
        public static float Atan2(float y, float x) => (float)Math.Atan2(y, x);
        public static float Sqrt(float f) => (float)Math.Sqrt(f);
        public static float Abs(float f) => Math.Abs(f);
        public static int Abs(int value) => Math.Abs(value);
        public static float Pow(float f, float p) => (float)Math.Pow(f, p);
        public static float Exp(float power) => (float)Math.Exp(power);
        public static float Log(float f) => (float)Math.Log(f);
        public static float Log(float f, float p) => (float)Math.Log(f, p);
        public static float Log10(float f) => (float)Math.Log10(f);
        public static float Ceil(float f) => (float)Math.Ceiling(f);
        public static float Floor(float f) => (float)Math.Floor(f);
        public static float Round(float f) => (float)Math.Round(f);
        public static int CeilToInt(float f) => (int)Math.Ceiling(f);
        public static int FloorToInt(float f) => (int)Math.Floor(f);
        public static int RoundToInt(float f) => (int)Math.Round(f);
        public static float Sign(float f) => f >= 0f ? 1f : -1f;
        public static float Min(float a, float b) => a < b ? a : b;
        public static int Min(int a, int b) => a < b ? a : b;
        public static float Max(float a, float b) => a > b ? a : b;
        public static int Max(int a, int b) => a > b ? a : b;

        public static float Min(params float[] values)
        {
            var least = values.Length == 0 ? 0f : values[0];
            foreach (var value in values) least = Min(least, value);
            return least;
        }

        public static int Min(params int[] values)
        {
            var least = values.Length == 0 ? 0 : values[0];
            foreach (var value in values) least = Min(least, value);
            return least;
        }

        public static float Max(params float[] values)
        {
            var greatest = values.Length == 0 ? 0f : values[0];
            foreach (var value in values) greatest = Max(greatest, value);
            return greatest;
        }

        public static int Max(params int[] values)
        {
            var greatest = values.Length == 0 ? 0 : values[0];
            foreach (var value in values) greatest = Max(greatest, value);
            return greatest;
        }

        public static float Clamp(float value, float min, float max) => value < min ? min : value > max ? max : value;
        public static int Clamp(int value, int min, int max) => value < min ? min : value > max ? max : value;
        public static float Clamp01(float value) => Clamp(value, 0f, 1f);
        public static float Lerp(float a, float b, float t) => a + (b - a) * Clamp01(t);
        public static float LerpUnclamped(float a, float b, float t) => a + (b - a) * t;
        public static float InverseLerp(float a, float b, float value) => a == b ? 0f : Clamp01((value - a) / (b - a));
        public static float LerpAngle(float a, float b, float t) => a + DeltaAngle(a, b) * Clamp01(t);
        public static float Repeat(float t, float length) => Clamp(t - Floor(t / length) * length, 0f, length);

        public static float PingPong(float t, float length)
        {
            t = Repeat(t, length * 2f);
            return length - Abs(t - length);
        }

        public static float DeltaAngle(float current, float target)
        {
            var delta = Repeat(target - current, 360f);
            return delta > 180f ? delta - 360f : delta;
        }

        public static float MoveTowards(float current, float target, float maxDelta) =>
            Abs(target - current) <= maxDelta ? target : current + Sign(target - current) * maxDelta;

        public static float MoveTowardsAngle(float current, float target, float maxDelta)
        {
            var delta = DeltaAngle(current, target);
            return Abs(delta) < maxDelta ? target : MoveTowards(current, current + delta, maxDelta);
        }

        public static float SmoothStep(float from, float to, float t)
        {
            t = Clamp01(t);
            t = t * t * (3f - 2f * t);
            return to * t + from * (1f - t);
        }

        public static float SmoothDamp(float current, float target, ref float currentVelocity, float smoothTime) =>
            SmoothDamp(current, target, ref currentVelocity, smoothTime, Infinity, Time.deltaTime);

        public static float SmoothDamp(float current, float target, ref float currentVelocity, float smoothTime, float maxSpeed) =>
            SmoothDamp(current, target, ref currentVelocity, smoothTime, maxSpeed, Time.deltaTime);

        /// A critically damped spring, integrated exactly over the time.
        public static float SmoothDamp(
            float current, float target, ref float currentVelocity, float smoothTime, float maxSpeed, float deltaTime)
        {
            var omega = 2f / Max(0.0001f, smoothTime);
            var offset = Clamp(current - target, -maxSpeed * smoothTime, maxSpeed * smoothTime);
            var decay = Exp(-omega * deltaTime);
            var slope = (currentVelocity + omega * offset) * deltaTime;
            currentVelocity = (currentVelocity - omega * slope) * decay;
            return current - offset + (offset + slope) * decay;
        }

        public static bool Approximately(float a, float b) =>
            Abs(b - a) < Max(1E-06f * Max(Abs(a), Abs(b)), float.Epsilon * 8f);

        public static bool IsPowerOfTwo(int value) => value > 0 && (value & (value - 1)) == 0;

        /// Smooth and repeatable, within 0 to 1; not Unity's own pattern.
        public static float PerlinNoise(float x, float y) => 0.5f + 0.25f * (Sin(x * 1.7f + y) + Cos(y * 2.3f - x * 0.7f));
    }
}
