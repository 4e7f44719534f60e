// UnityEngine.Transform: position, rotation and scale below a parent.
using System.Collections;
using System.Collections.Generic;

namespace UnityEngine
{
    public class Transform : Component, IEnumerable
    {
        readonly List<Transform> m_Children = new List<Transform>();
        Transform m_Parent;
        Vector3 m_LocalPosition;
        Quaternion m_LocalRotation = Quaternion.identity;
        Vector3 m_LocalScale = Vector3.one;

        protected internal Transform() { }

        public bool hasChanged { get; set; }
        public int childCount => m_Children.Count;
        public Transform root => m_Parent == null ? this : m_Parent.root;
        public Transform parent { get { return m_Parent; } set { SetParent(value); } }

        public Vector3 localPosition { get { return m_LocalPosition; } set { m_LocalPosition = value; hasChanged = true; } }
        public Quaternion localRotation { get { return m_LocalRotation; } set { m_LocalRotation = value.normalized; hasChanged = true; } }
        public Vector3 localEulerAngles { get { return localRotation.eulerAngles; } set { localRotation = Quaternion.Euler(value); } }
        public Vector3 localScale { get { return m_LocalScale; } set { m_LocalScale = value; hasChanged = true; } }

        public Vector3 position
        {
            get { return m_Parent == null ? m_LocalPosition : m_Parent.TransformPoint(m_LocalPosition); }
            set { localPosition = m_Parent == null ? value : m_Parent.InverseTransformPoint(value); }
        }

        public Quaternion rotation
        {
            get { return m_Parent == null ? m_LocalRotation : m_Parent.rotation * m_LocalRotation; }
            set { localRotation = m_Parent == null ? value : Quaternion.Inverse(m_Parent.rotation) * value; }
        }

        public Vector3 eulerAngles { get { return rotation.eulerAngles; } set { rotation = Quaternion.Euler(value); } }
        public Vector3 lossyScale => m_Parent == null ? m_LocalScale : Vector3.Scale(m_Parent.lossyScale, m_LocalScale);
        public Vector3 forward { get { return rotation * Vector3.forward; } set { rotation = Quaternion.LookRotation(value); } }
        public Vector3 right { get { return rotation * Vector3.right; } set { rotation = Quaternion.FromToRotation(Vector3.right, value); } }
        public Vector3 up { get { return rotation * Vector3.up; } set { rotation = Quaternion.FromToRotation(Vector3.up, value); } }
        public Matrix4x4 localToWorldMatrix => Matrix4x4.TRS(position, rotation, lossyScale);
        public Matrix4x4 worldToLocalMatrix => localToWorldMatrix.inverse;

        public void SetParent(Transform p) { SetParent(p, true); }
        public void SetParent(Transform parent, bool worldPositionStays)
        {
            var place = position;
            var turn = rotation;
            var size = lossyScale;
            if (m_Parent != null) m_Parent.m_Children.Remove(this);
            m_Parent = parent;
            if (parent != null) parent.m_Children.Add(this);
            if (worldPositionStays)
            {
                SetPositionAndRotation(place, turn);
                var above = parent == null ? Vector3.one : parent.lossyScale;
                localScale = new Vector3(size.x / above.x, size.y / above.y, size.z / above.z);
            }
            World.Refresh(Owner);
        }

        public void SetPositionAndRotation(Vector3 position, Quaternion rotation)
        {
            this.position = position;
            this.rotation = rotation;
        }
#if UNITY_2021_3_OR_NEWER
        public void SetLocalPositionAndRotation(Vector3 localPosition, Quaternion localRotation)
        {
            this.localPosition = localPosition;
            this.localRotation = localRotation;
        }
        public void GetPositionAndRotation(out Vector3 position, out Quaternion rotation)
        {
            position = this.position;
            rotation = this.rotation;
        }
#endif

        public Vector3 TransformDirection(Vector3 direction) => rotation * direction;
        public Vector3 TransformDirection(float x, float y, float z) => TransformDirection(new Vector3(x, y, z));
        public Vector3 InverseTransformDirection(Vector3 direction) => Quaternion.Inverse(rotation) * direction;
        public Vector3 InverseTransformDirection(float x, float y, float z) => InverseTransformDirection(new Vector3(x, y, z));

        public Vector3 TransformVector(Vector3 vector)
        {
            vector = m_LocalRotation * Vector3.Scale(m_LocalScale, vector);
            return m_Parent == null ? vector : m_Parent.TransformVector(vector);
        }

        public Vector3 InverseTransformVector(Vector3 vector)
        {
            vector = Quaternion.Inverse(m_LocalRotation) * (m_Parent == null ? vector : m_Parent.InverseTransformVector(vector));
            return new Vector3(vector.x / m_LocalScale.x, vector.y / m_LocalScale.y, vector.z / m_LocalScale.z);
        }

        public Vector3 TransformPoint(Vector3 position) => TransformVector(position) + this.position;
        public Vector3 TransformPoint(float x, float y, float z) => TransformPoint(new Vector3(x, y, z));
        public Vector3 InverseTransformPoint(Vector3 position) => InverseTransformVector(position - this.position);
        public Vector3 InverseTransformPoint(float x, float y, float z) => InverseTransformPoint(new Vector3(x, y, z));

        public void Translate(Vector3 translation) { Translate(translation, Space.Self); }
        public void Translate(float x, float y, float z) { Translate(new Vector3(x, y, z), Space.Self); }
        public void Translate(Vector3 translation, Space relativeTo)
        {
            position += relativeTo == Space.World ? translation : TransformDirection(translation);
        }
        public void Translate(float x, float y, float z, Space relativeTo) { Translate(new Vector3(x, y, z), relativeTo); }
        public void Translate(Vector3 translation, Transform relativeTo)
        {
            position += relativeTo == null ? translation : relativeTo.TransformDirection(translation);
        }

        public void Rotate(Vector3 eulers) { Rotate(eulers, Space.Self); }
        public void Rotate(float xAngle, float yAngle, float zAngle) { Rotate(new Vector3(xAngle, yAngle, zAngle), Space.Self); }
        public void Rotate(Vector3 eulers, Space relativeTo)
        {
            var turn = Quaternion.Euler(eulers);
            if (relativeTo == Space.Self) localRotation = localRotation * turn;
            else rotation = turn * rotation;
        }
        public void Rotate(float xAngle, float yAngle, float zAngle, Space relativeTo) { Rotate(new Vector3(xAngle, yAngle, zAngle), relativeTo); }
        public void Rotate(Vector3 axis, float angle) { Rotate(axis, angle, Space.Self); }
        public void Rotate(Vector3 axis, float angle, Space relativeTo)
        {
            var turn = Quaternion.AngleAxis(angle, axis);
            if (relativeTo == Space.Self) localRotation = localRotation * turn;
            else rotation = turn * rotation;
        }

        public void RotateAround(Vector3 point, Vector3 axis, float angle)
        {
            var turn = Quaternion.AngleAxis(angle, axis);
            position = point + turn * (position - point);
            rotation = turn * rotation;
        }

        public void LookAt(Transform target) { LookAt(target.position); }
        public void LookAt(Transform target, Vector3 worldUp) { LookAt(target.position, worldUp); }
        public void LookAt(Vector3 worldPosition) { LookAt(worldPosition, Vector3.up); }
        public void LookAt(Vector3 worldPosition, Vector3 worldUp) { rotation = Quaternion.LookRotation(worldPosition - position, worldUp); }

        public Transform GetChild(int index) => m_Children[index];
        public IEnumerator GetEnumerator() => m_Children.ToArray().GetEnumerator();
        public bool IsChildOf(Transform parent)
        {
            for (var at = this; at != null; at = at.m_Parent) if (at == parent) return true;
            return false;
        }
        public int GetSiblingIndex() => m_Parent == null ? 0 : m_Parent.m_Children.IndexOf(this);
        public void SetSiblingIndex(int index)
        {
            if (m_Parent == null) return;
            m_Parent.m_Children.Remove(this);
            m_Parent.m_Children.Insert(Mathf.Clamp(index, 0, m_Parent.m_Children.Count), this);
        }
        public void SetAsFirstSibling() { SetSiblingIndex(0); }
        public void SetAsLastSibling() { SetSiblingIndex(int.MaxValue); }

        public void DetachChildren()
        {
            foreach (Transform child in this) child.SetParent(null);
        }

        /// A path of names below this one.
        public Transform Find(string n)
        {
            var at = this;
            foreach (var part in n.Split('/'))
            {
                at = at.m_Children.Find(child => child.name == part);
                if (at == null) return null;
            }
            return at;
        }
    }

    public sealed class RectTransform : Transform
    {
        public Vector2 anchoredPosition { get; set; }
        public Vector2 sizeDelta { get; set; }
        public Rect rect => new Rect(0f, 0f, sizeDelta.x, sizeDelta.y);
    }
}
