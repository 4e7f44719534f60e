// UnityEngine.Quaternion and Matrix4x4. Unity's world is left-handed: x to the right, y up, z forward.
using System;

namespace UnityEngine
{
    public struct Quaternion : IEquatable<Quaternion>
    {
        public float x;
        public float y;
        public float z;
        public float w;

        public Quaternion(float x, float y, float z, float w) { this.x = x; this.y = y; this.z = z; this.w = w; }

        public static Quaternion identity => new Quaternion(0f, 0f, 0f, 1f);

        public float this[int index]
        {
            get { return index == 0 ? x : index == 1 ? y : index == 2 ? z : index == 3 ? w : throw new IndexOutOfRangeException(); }
            set
            {
                if (index == 0) x = value;
                else if (index == 1) y = value;
                else if (index == 2) z = value;
                else if (index == 3) w = value;
                else throw new IndexOutOfRangeException();
            }
        }

        public Quaternion normalized
        {
            get
            {
                var length = Mathf.Sqrt(Dot(this, this));
                return length < Mathf.Epsilon ? identity : new Quaternion(x / length, y / length, z / length, w / length);
            }
        }

        /// Degrees about z, then x, then y, each within 0 to 360.
        public Vector3 eulerAngles
        {
            get
            {
                var q = normalized;
                var sine = Mathf.Clamp(2f * (q.w * q.x - q.y * q.z), -1f, 1f);
                float yaw, roll;
                if (Mathf.Abs(sine) > 0.99999f)
                {
                    yaw = 2f * Mathf.Atan2(q.y, q.w);
                    roll = 0f;
                }
                else
                {
                    yaw = Mathf.Atan2(2f * (q.w * q.y + q.x * q.z), 1f - 2f * (q.x * q.x + q.y * q.y));
                    roll = Mathf.Atan2(2f * (q.w * q.z + q.x * q.y), 1f - 2f * (q.x * q.x + q.z * q.z));
                }
                return new Vector3(Positive(Mathf.Asin(sine)), Positive(yaw), Positive(roll));
            }
            set { this = Euler(value); }
        }

        static float Positive(float radians)
        {
            var degrees = radians * Mathf.Rad2Deg;
            return degrees < 0f ? degrees + 360f : degrees >= 360f ? degrees - 360f : degrees;
        }

        public void Set(float newX, float newY, float newZ, float newW) { this = new Quaternion(newX, newY, newZ, newW); }
        public void Normalize() { this = normalized; }
        public void SetLookRotation(Vector3 view) { this = LookRotation(view); }
        public void SetFromToRotation(Vector3 from, Vector3 to) { this = FromToRotation(from, to); }

        public void ToAngleAxis(out float angle, out Vector3 axis)
        {
            var q = normalized;
            angle = 2f * Mathf.Acos(Mathf.Clamp(q.w, -1f, 1f)) * Mathf.Rad2Deg;
            var sine = Mathf.Sqrt(Mathf.Max(0f, 1f - q.w * q.w));
            axis = sine < 1E-05f ? Vector3.right : new Vector3(q.x, q.y, q.z) / sine;
        }

        public static Quaternion Euler(Vector3 euler) => Euler(euler.x, euler.y, euler.z);
        public static Quaternion Euler(float x, float y, float z) =>
            AngleAxis(y, Vector3.up) * AngleAxis(x, Vector3.right) * AngleAxis(z, Vector3.forward);

        public static Quaternion AngleAxis(float angle, Vector3 axis)
        {
            var unit = axis.normalized;
            var half = angle * Mathf.Deg2Rad * 0.5f;
            var sine = Mathf.Sin(half);
            return new Quaternion(unit.x * sine, unit.y * sine, unit.z * sine, Mathf.Cos(half));
        }

        public static Quaternion LookRotation(Vector3 forward) => LookRotation(forward, Vector3.up);
        public static Quaternion LookRotation(Vector3 forward, Vector3 upwards)
        {
            var ahead = forward.normalized;
            if (ahead == Vector3.zero) return identity;
            var right = Vector3.Cross(upwards, ahead).normalized;
            if (right == Vector3.zero) return FromToRotation(Vector3.forward, ahead);
            return FromAxes(right, Vector3.Cross(ahead, right), ahead);
        }

        static Quaternion FromAxes(Vector3 right, Vector3 up, Vector3 ahead)
        {
            var trace = right.x + up.y + ahead.z;
            if (trace > 0f)
            {
                var s = Mathf.Sqrt(trace + 1f) * 2f;
                return new Quaternion((up.z - ahead.y) / s, (ahead.x - right.z) / s, (right.y - up.x) / s, s / 4f).normalized;
            }
            if (right.x > up.y && right.x > ahead.z)
            {
                var s = Mathf.Sqrt(1f + right.x - up.y - ahead.z) * 2f;
                return new Quaternion(s / 4f, (up.x + right.y) / s, (ahead.x + right.z) / s, (up.z - ahead.y) / s).normalized;
            }
            if (up.y > ahead.z)
            {
                var s = Mathf.Sqrt(1f + up.y - right.x - ahead.z) * 2f;
                return new Quaternion((up.x + right.y) / s, s / 4f, (ahead.y + up.z) / s, (ahead.x - right.z) / s).normalized;
            }
            var last = Mathf.Sqrt(1f + ahead.z - right.x - up.y) * 2f;
            return new Quaternion((ahead.x + right.z) / last, (ahead.y + up.z) / last, last / 4f, (right.y - up.x) / last).normalized;
        }

        public static Quaternion FromToRotation(Vector3 fromDirection, Vector3 toDirection)
        {
            Vector3 from = fromDirection.normalized, to = toDirection.normalized;
            var axis = Vector3.Cross(from, to);
            if (Vector3.Dot(from, to) < -0.99999f)
            {
                axis = Vector3.Cross(Vector3.up, from);
                return AngleAxis(180f, axis.sqrMagnitude < 1E-06f ? Vector3.right : axis);
            }
            return new Quaternion(axis.x, axis.y, axis.z, 1f + Vector3.Dot(from, to)).normalized;
        }

        public static Quaternion Inverse(Quaternion rotation)
        {
            var square = Dot(rotation, rotation);
            return new Quaternion(-rotation.x / square, -rotation.y / square, -rotation.z / square, rotation.w / square);
        }

        public static float Dot(Quaternion a, Quaternion b) => a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;

        public static float Angle(Quaternion a, Quaternion b)
        {
            var dot = Mathf.Min(Mathf.Abs(Dot(a, b)), 1f);
            return dot > 1f - 1E-06f ? 0f : Mathf.Acos(dot) * 2f * Mathf.Rad2Deg;
        }

        public static Quaternion Normalize(Quaternion q) => q.normalized;
        public static Quaternion Lerp(Quaternion a, Quaternion b, float t)
        {
            t = Mathf.Clamp01(t);
            var sign = Dot(a, b) < 0f ? -1f : 1f;
            return Mix(a, 1f - t, b, t * sign).normalized;
        }

        public static Quaternion Slerp(Quaternion a, Quaternion b, float t) => SlerpUnclamped(a, b, Mathf.Clamp01(t));
        public static Quaternion SlerpUnclamped(Quaternion a, Quaternion b, float t)
        {
            var dot = Dot(a, b);
            var sign = dot < 0f ? -1f : 1f;
            dot = Mathf.Abs(dot);
            if (dot > 0.9995f) return Mix(a, 1f - t, b, t * sign).normalized;
            var angle = Mathf.Acos(dot);
            var sine = Mathf.Sin(angle);
            return Mix(a, Mathf.Sin((1f - t) * angle) / sine, b, Mathf.Sin(t * angle) / sine * sign).normalized;
        }

        static Quaternion Mix(Quaternion a, float p, Quaternion b, float q) =>
            new Quaternion(a.x * p + b.x * q, a.y * p + b.y * q, a.z * p + b.z * q, a.w * p + b.w * q);

        public static Quaternion RotateTowards(Quaternion from, Quaternion to, float maxDegreesDelta)
        {
            var angle = Angle(from, to);
            return angle == 0f ? to : SlerpUnclamped(from, to, Mathf.Min(1f, maxDegreesDelta / angle));
        }

        public static Quaternion operator *(Quaternion a, Quaternion b) => new Quaternion(
            a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
            a.w * b.y + a.y * b.w + a.z * b.x - a.x * b.z,
            a.w * b.z + a.z * b.w + a.x * b.y - a.y * b.x,
            a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z);

        public static Vector3 operator *(Quaternion rotation, Vector3 point)
        {
            var axis = new Vector3(rotation.x, rotation.y, rotation.z);
            var twice = 2f * Vector3.Cross(axis, point);
            return point + rotation.w * twice + Vector3.Cross(axis, twice);
        }

        public static bool operator ==(Quaternion lhs, Quaternion rhs) => Dot(lhs, rhs) > 1f - 1E-06f;
        public static bool operator !=(Quaternion lhs, Quaternion rhs) => !(lhs == rhs);
        public bool Equals(Quaternion other) => x == other.x && y == other.y && z == other.z && w == other.w;
        public override bool Equals(object other) => other is Quaternion rotation && Equals(rotation);
        public override int GetHashCode() => x.GetHashCode() ^ (y.GetHashCode() << 2) ^ (z.GetHashCode() >> 2) ^ (w.GetHashCode() >> 1);
        public override string ToString() => "(" + x.ToString("F5") + ", " + y.ToString("F5") + ", " + z.ToString("F5") + ", " + w.ToString("F5") + ")";
    }

    /// A translation, rotation and scale; other matrices are not kept.
    public struct Matrix4x4
    {
        Vector3 m_Position;
        Quaternion m_Rotation;
        Vector3 m_Scale;

        public static Matrix4x4 identity => TRS(Vector3.zero, Quaternion.identity, Vector3.one);
        public Quaternion rotation => m_Rotation;
        public Vector3 lossyScale => m_Scale;
        public Matrix4x4 inverse => TRS(
            Vector3.Scale(Quaternion.Inverse(m_Rotation) * -m_Position, Inverted(m_Scale)), Quaternion.Inverse(m_Rotation), Inverted(m_Scale));

        public static Matrix4x4 TRS(Vector3 pos, Quaternion q, Vector3 s) =>
            new Matrix4x4 { m_Position = pos, m_Rotation = q, m_Scale = s };
        public static Matrix4x4 Translate(Vector3 vector) => TRS(vector, Quaternion.identity, Vector3.one);
        public static Matrix4x4 Rotate(Quaternion q) => TRS(Vector3.zero, q, Vector3.one);
        public static Matrix4x4 Scale(Vector3 vector) => TRS(Vector3.zero, Quaternion.identity, vector);

        public Vector3 MultiplyPoint(Vector3 point) => MultiplyPoint3x4(point);
        public Vector3 MultiplyPoint3x4(Vector3 point) => m_Position + MultiplyVector(point);
        public Vector3 MultiplyVector(Vector3 vector) => m_Rotation * Vector3.Scale(m_Scale, vector);
        public static Matrix4x4 operator *(Matrix4x4 a, Matrix4x4 b) =>
            TRS(a.MultiplyPoint(b.m_Position), a.m_Rotation * b.m_Rotation, Vector3.Scale(a.m_Scale, b.m_Scale));

        static Vector3 Inverted(Vector3 v) => new Vector3(1f / v.x, 1f / v.y, 1f / v.z);
    }
}
